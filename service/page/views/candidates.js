// The candidates of each mask, as bars that can be chosen.

import { h, percent } from "./element.js";

const WIDTH = 28; // characters of context on either side of a mask

/** A list for each mask of a result. `onFill` is told the text with a candidate in it. */
export function drawMasks(text, { masks }, onFill) {
  const points = Array.from(text);
  return masks.map((mask, index) => h(
    "section",
    { className: "mask" },
    h("h3", {}, h("span", { className: "number" }, `Mask ${index + 1}`), ...context(points, mask)),
    h(
      "ol",
      { className: "candidates", ariaLabel: `Candidates for mask ${index + 1}` },
      ...mask.predictions.map((prediction) => h("li", {}, row(prediction, index, onFill))),
    ),
  ));
}

/** What the bars are measured by: the highest probability of a result. */
export function highest({ masks }) {
  return Math.max(0, ...masks.flatMap(({ predictions }) => predictions.map(({ score }) => score ?? 0)));
}

/** The likeliest of each mask in one sentence, for those who do not see the bars. */
export function tell({ masks }) {
  return masks.map(({ predictions }, index) => {
    const best = predictions.slice(0, 3).map((each) => `${wordOf(each)} ${each.score === null ? "unknown" : percent(each.score)}`);
    return `Mask ${index + 1}: ${best.join(", ")}.`;
  }).join(" ");
}

const wordOf = (prediction) => prediction.target ?? prediction.token_str;

function context(points, { start, end }) {
  const before = points.slice(Math.max(0, start - WIDTH), start).join("");
  const after = points.slice(end, end + WIDTH).join("");
  return [h("span", { className: "context" },
    start > WIDTH ? "…" : "", before, h("b", { ariaHidden: "true" }, "___"), after, end + WIDTH < points.length ? "…" : "")];
}

function row(prediction, index, onFill) {
  const { score, sequence } = prediction;
  if (score === null) {
    return h("p", { className: "candidate unknown" },
      h("span", { className: "word" }, wordOf(prediction)),
      h("span", { className: "aside" }, "this vocabulary cannot write it"));
  }
  return h(
    "button",
    {
      type: "button",
      className: "candidate",
      onclick: () => onFill(sequence, index),
      title: sequence,
      vars: { score },
    },
    h("span", { className: "word" }, wordOf(prediction)),
    h("span", { className: "aside" }, asideOf(prediction)),
    h("span", { className: "score" }, percent(score)),
  );
}

function asideOf({ rank, pieces, target }) {
  if (target === undefined) return "";
  const written = pieces ? `${pieces.map((piece) => piece.token_str).join(" ")} · ` : "";
  return `${written}rank ${rank.toLocaleString("en")}`;
}
