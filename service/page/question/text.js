// A sentence as words, masks and what is between them.

export const MASK = "[MASK]";

const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

/** Split a text into parts: `{kind: "word" | "mask" | "gap", text, start, end}`, in UTF-16 units. */
export function splitText(text) {
  const parts = [];
  let start = 0;
  const add = (kind, piece) => {
    parts.push({ kind, text: piece, start, end: start + piece.length });
    start += piece.length;
  };
  text.split(MASK).forEach((stretch, index) => {
    if (index) add("mask", MASK);
    for (const { segment, isWordLike } of segmenter.segment(stretch)) {
      add(isWordLike ? "word" : "gap", segment);
    }
  });
  return parts;
}

/** Put a mask where a range of a text is. */
export function maskRange(text, start, end) {
  return text.slice(0, start) + MASK + text.slice(end);
}

/** Count the masks of a text. */
export function countMasks(text) {
  return text.split(MASK).length - 1;
}

/** Fill the spans of a text, whose places are in code points as the server counts them.
 *
 * Returns the text in stretches `{text, isFilled}`. A `##` joins the word before.
 */
export function fillSpans(text, spans) {
  const points = Array.from(text);
  const stretches = [];
  let end = 0;
  for (const span of spans) {
    const before = points.slice(end, span.start).join("");
    const joins = span.text.startsWith("##");
    stretches.push({ text: joins ? before.trimEnd() : before, isFilled: false });
    stretches.push({ text: joins ? span.text.slice(2) : span.text, isFilled: true });
    end = span.end;
  }
  stretches.push({ text: points.slice(end).join(""), isFilled: false });
  return stretches;
}
