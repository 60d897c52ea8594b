// One column: what a preset answers, or why it does not yet.

import { bodyOf } from "../question/request.js";
import { ask } from "../server/asking.js";
import { isOnTheWay } from "../server/presets.js";
import * as candidates from "./candidates.js";
import { h, percent, short } from "./element.js";
import * as sequences from "./sequences.js";

const STATES = {
  available: "not loaded", downloading: "fetching its files", loading: "loading", ready: "ready", failed: "failed",
};

/** Hold a column.
 *
 * `onFill(text, filled, index)`: a candidate was chosen for a mask of a text. `onAnswer(told)`: there is an answer, in a sentence.
 * `onRefusal(refusal)`: there will be none.
 */
export function createAnswer(presets, { onFill, onAnswer, onRefusal }) {
  const title = h("h2", {});
  const facts = h("p", { className: "facts" });
  const progress = h("div", { className: "progress", hidden: true });
  const notice = h("div", { className: "notice", role: "alert", hidden: true });
  const body = h("div", { className: "body" });
  const root = h("article", { className: "card answer", hidden: true }, h("header", {}, title, facts), progress, notice, body);
  let asked = { name: "", since: 0 };
  let last = ""; // what the last answer was made of
  let controller = new AbortController();

  const drawState = () => {
    const preset = presets.find(asked.name);
    title.textContent = preset?.name ?? asked.name;
    const made = [preset?.engine, preset?.precision].filter(Boolean).join(" ");
    const size = preset?.parameters ? `${short(preset.parameters)} weights` : "";
    facts.replaceChildren(
      h("span", { className: `state ${preset?.state ?? ""}` }, STATES[preset?.state] ?? "unknown"),
      [made, size, last].filter(Boolean).map((fact) => ` · ${fact}`).join(""),
    );
    const isComing = root.ariaBusy === "true" && isOnTheWay(preset);
    progress.hidden = !isComing;
    if (!isComing) return;
    const seconds = Math.round((performance.now() - asked.since) / 1000);
    progress.replaceChildren(
      h("span", {}, `${preset.name} is ${STATES[preset.state]}, ${seconds} s so far. You can choose another one meanwhile.`),
      h("progress", { ariaLabel: `${preset.name} is ${STATES[preset.state]}` }),
    );
  };

  const drawPause = (refusal, left) => {
    const wait = h("span", { ariaHidden: "true" }, ` Trying again in ${left} s.`);
    if (notice.firstChild?.textContent === refusal.message) notice.lastChild.replaceWith(wait);
    else notice.replaceChildren(h("span", {}, refusal.message), wait);
    notice.hidden = refusal.code === "timeout" && isOnTheWay(presets.find(asked.name));
  };

  const drawRefusal = (refusal) => {
    const again = h("button", { type: "button", onclick: () => start(asked.question, asked.name) }, "Try again");
    notice.replaceChildren(h("span", {}, refusal.message), again);
    notice.hidden = false;
    body.replaceChildren();
    onRefusal(refusal);
  };

  const drawAnswer = ({ results: [result], milliseconds }) => {
    const { text } = asked.question;
    const view = result.sequences ? sequences : candidates;
    const draw = result.sequences ? sequences.drawSequences : candidates.drawMasks;
    last = `${result.tokens} tokens · ${Number(milliseconds.toPrecision(2))} ms`;
    notice.hidden = true;
    notice.replaceChildren();
    body.style.setProperty("--own-scale", view.highest(result));
    body.replaceChildren(...draw(text, result, (filled, index) => onFill(text, filled, index)));
    onAnswer(view.tell(result));
  };

  const start = async (question, name) => {
    controller.abort();
    const mine = new AbortController();
    controller = mine;
    if (asked.name !== name) { last = ""; body.replaceChildren(); }
    asked = { question, name, since: performance.now() };
    root.hidden = false;
    root.ariaBusy = "true";
    drawState();
    try {
      const answer = await presets.watchWhile(name, ask(bodyOf(question, name), mine.signal, (refusal, left) => {
        if (controller === mine) drawPause(refusal, left);
      }));
      if (controller === mine) drawAnswer(answer);
    } catch (problem) {
      if (controller !== mine) return;
      if (problem.code === undefined) throw problem;
      drawRefusal(problem);
    } finally {
      if (controller === mine) { root.ariaBusy = "false"; drawState(); }
    }
  };

  return {
    root,
    start,
    drawState,
    /** The highest probability that is shown: both columns are measured by one. */
    get scale() { return root.hidden ? 0 : Number(body.style.getPropertyValue("--own-scale")); },
    focus(index) {
      const lists = body.querySelectorAll(".candidates");
      (lists[Math.min(index, lists.length - 1)]?.querySelector("button"))?.focus();
    },
    stop() {
      controller.abort();
      controller = new AbortController();
      root.hidden = true;
      root.ariaBusy = "false";
    },
  };
}
