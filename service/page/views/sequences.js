// Fillings of all masks together, as sentences that can be chosen.

import { fillSpans } from "../question/text.js";
import { h, percent } from "./element.js";

/** The sequences of a result. `onFill` is told the one that is chosen. */
export function drawSequences(text, { sequences, independent }, onFill) {
  const rows = sequences.map((each) => h("li", {}, row(text, each, onFill)));
  const own = h("li", { className: "apart" }, h("p", { className: "hint" }, "Each mask alone"), row(text, independent, onFill));
  return [h("ol", { className: "candidates", ariaLabel: "Fillings of all masks" }, ...rows, own)];
}

const probability = ({ log_prob: logProb }) => Math.exp(logProb);

/** What the bars are measured by: the probability of the likeliest. */
export const highest = ({ sequences }) => Math.max(0, ...sequences.map(probability));

/** The likeliest sequences, for those who do not see the bars. */
export const tell = ({ sequences }) => sequences.slice(0, 3)
  .map((each) => `${each.sequence} ${percent(probability(each))}.`).join(" ");

function row(text, filling, onFill) {
  const score = probability(filling);
  const stretches = fillSpans(text, filling.spans).map(({ text: piece, isFilled }) => (
    isFilled ? h("b", {}, piece) : piece));
  return h(
    "button",
    { type: "button", className: "candidate whole", onclick: () => onFill(filling.sequence, 0), vars: { score } },
    h("span", { className: "word" }, ...stretches),
    h("span", { className: "score" }, percent(score)),
  );
}
