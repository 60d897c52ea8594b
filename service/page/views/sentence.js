// Where a sentence is written, and its words, each of which can be masked.

import { MASK, maskRange, splitText } from "../question/text.js";
import { byId, h } from "./element.js";

const MOST_WORDS = 300; // as buttons; any word can be masked where it is written
const EXAMPLES = {
  "One mask": { text: "The capital of France is [MASK].", isJoint: false, targets: "" },
  "Two, jointly": { text: "He is the president of the [MASK] [MASK].", isJoint: true, targets: "" },
  "Own words": { text: "She is a very [MASK] person.", isJoint: false, targets: "good, kind, trustworthy" },
};

/** Bind the sentence to a question. `onMask(index)`: the mask of that number was chosen. */
export function bindSentence(question, onMask) {
  const [area, words, undo] = ["text", "words", "undo"].map(byId);
  let wanted = null; // which word is to have the focus once it is drawn

  const maskWord = (part, index) => {
    wanted = index;
    question.replaceText(maskRange(question.now.text, part.start, part.end));
  };

  const button = (part, index, number) => h(
    "button",
    part.kind === "mask"
      ? { type: "button", className: "mask-word", ariaLabel: `Mask ${number}: go to its candidates`, onclick: () => onMask(number - 1), tabIndex: -1 }
      : { type: "button", className: "word", title: "Mask this word", onclick: () => maskWord(part, index), tabIndex: -1 },
    part.kind === "mask" ? String(number) : part.text,
  );

  const drawWords = (text) => {
    let masks = 0;
    let count = 0;
    const drawn = [];
    for (const part of splitText(text)) {
      if (part.kind === "gap") { drawn.push(part.text); continue; }
      if (count === MOST_WORDS) { drawn.push("…"); break; }
      if (part.kind === "mask") masks += 1;
      drawn.push(button(part, count, masks));
      count += 1;
    }
    words.replaceChildren(...drawn);
    const buttons = [...words.children];
    const first = buttons[wanted ?? 0];
    if (first) first.tabIndex = 0;
    if (wanted !== null) first?.focus();
    wanted = null;
  };

  // One stop for the tab key, and arrows within.
  words.addEventListener("keydown", (event) => {
    const buttons = [...words.children];
    const here = buttons.indexOf(document.activeElement);
    const next = {
      ArrowRight: here + 1, ArrowDown: here + 1, ArrowLeft: here - 1, ArrowUp: here - 1, Home: 0, End: buttons.length - 1,
    }[event.key];
    if (here < 0 || next === undefined) return;
    event.preventDefault();
    buttons.at(next % buttons.length).focus();
  });
  words.addEventListener("focusin", ({ target }) => {
    for (const each of words.children) each.tabIndex = each === target ? 0 : -1;
  });

  area.addEventListener("input", () => question.change({ text: area.value }));
  undo.onclick = () => question.undo();
  byId("insert").onclick = () => {
    const { selectionStart: start, selectionEnd: end } = area;
    question.replaceText(maskRange(area.value, start, end));
    area.focus();
    area.setSelectionRange(start + MASK.length, start + MASK.length);
  };
  for (const [name, part] of Object.entries(EXAMPLES)) {
    byId("examples").append(h("button", { type: "button", className: "quiet", onclick: () => {
      question.replaceText(part.text);
      question.change(part);
    } }, name));
  }

  return {
    draw({ text }) {
      if (area.value !== text) area.value = text;
      // As high as it needs; where CSS can do that by itself, this gives the same.
      area.style.height = "auto";
      area.style.height = `${area.scrollHeight}px`;
      undo.disabled = !question.canUndo;
      drawWords(text);
    },
  };
}
