// Puts the parts together: a question changes, is asked, and its answers are shown.

import { createQuestion } from "./question/question.js";
import { fromFragment, toFragment } from "./question/share.js";
import { countMasks } from "./question/text.js";
import { createPresets } from "./server/presets.js";
import { createAnswer } from "./views/answer.js";
import { bindCode } from "./views/code.js";
import { bindControls } from "./views/controls.js";
import { byId, h } from "./views/element.js";
import { bindKeyForm } from "./views/key_form.js";
import { bindSentence } from "./views/sentence.js";

const TYPING_PAUSE_MS = 250;

const region = byId("answers");
const news = byId("news");
const nothing = h("p", { className: "card nothing" });
const question = createQuestion(fromFragment(location.hash));
let timer = null;
let focus = null; // which mask's candidates are to have the focus once they are there

const presets = createPresets(drawPresets, (refusal) => keyForm.askFor(refusal));
const answers = [0, 1].map(() => createAnswer(presets, {
  onFill(text, filled, index) {
    if (text !== question.now.text) return; // it is still shown, and was for another text
    focus = index;
    question.replaceText(filled);
  },
  onAnswer(told) {
    region.style.setProperty("--scale", Math.max(...answers.map((answer) => answer.scale), 1e-9));
    news.textContent = told;
    if (focus !== null) answers[0].focus(focus);
    focus = null;
  },
  onRefusal: (refusal) => keyForm.askFor(refusal),
}));
const controls = bindControls(question);
const sentence = bindSentence(question, (index) => answers[0].focus(index));
const code = bindCode(question);
const keyForm = bindKeyForm(() => { presets.refresh(); askNow(); code.draw(); });

function drawPresets(list) {
  controls.drawPresets(list, question.now);
  for (const answer of answers) answer.drawState();
}

function draw(now) {
  sentence.draw(now);
  controls.draw(now);
  controls.drawPresets(presets.list, now);
  code.draw();
}

function askNow() {
  clearTimeout(timer);
  const { now } = question;
  history.replaceState(null, "", toFragment(now) || location.pathname);
  const isAsked = countMasks(now.text) > 0;
  nothing.hidden = isAsked;
  nothing.textContent = question.canUndo
    ? "No mask is left. Click a word to mask it and go on." : "Click a word to mask it, and see what else could stand there.";
  answers.forEach((answer, index) => {
    if (isAsked && (index === 0 || now.compare)) answer.start(now, index ? now.compare : now.preset);
    else answer.stop();
  });
  region.classList.toggle("two", isAsked && Boolean(now.compare));
  if (isAsked) return;
  news.textContent = nothing.textContent;
  if (focus !== null) region.focus();
  focus = null;
}

question.listen((now, changed) => {
  draw(now);
  clearTimeout(timer);
  const isTyped = [byId("text"), byId("targets")].includes(document.activeElement)
    && (changed.has("text") || changed.has("targets"));
  if (isTyped) timer = setTimeout(askNow, TYPING_PAUSE_MS);
  else askNow();
});

addEventListener("hashchange", () => question.change(fromFragment(location.hash)));
document.addEventListener("visibilitychange", () => { if (!document.hidden) presets.refresh(); });
// The fragment of the address is the question; a link within the page would replace it.
document.querySelector("[data-skip]").addEventListener("click", (event) => {
  event.preventDefault();
  byId("text").focus();
});

region.append(nothing, ...answers.map((answer) => answer.root));
draw(question.now);
presets.refresh();
askNow();
