// How a text is filled: by which presets, how many candidates, which words.

import { byId, h } from "./element.js";

const STATES = {
  available: "not loaded", downloading: "fetching…", loading: "loading…", ready: "ready", failed: "failed",
};

/** Bind the controls to a question. */
export function bindControls(question) {
  const [preset, compare, topK, targets] = ["preset", "compare", "top-k", "targets"].map(byId);
  const decodings = [...document.querySelectorAll("input[name=decode]")];

  preset.onchange = () => question.change({ preset: preset.value });
  compare.onchange = () => question.change({ compare: compare.value });
  topK.onchange = () => question.change({ topK: Number(topK.value) });
  targets.oninput = () => question.change({ targets: targets.value });
  for (const each of decodings) {
    each.onchange = () => question.change({ isJoint: each.value === "joint" && each.checked });
  }

  return {
    /** Show what the question says. */
    draw({ topK: count, targets: words, isJoint }) {
      if (![...topK.options].some((option) => Number(option.value) === count)) topK.append(h("option", {}, count));
      topK.value = count;
      topK.disabled = Boolean(words.trim()) && !isJoint;
      if (targets.value !== words) targets.value = words;
      targets.disabled = isJoint;
      byId("targets-hint").textContent = isJoint
        ? "Words of your own are scored with each mask alone." : "";
      for (const each of decodings) each.checked = (each.value === "joint") === isJoint;
    },
    /** Show the presets and how they stand. */
    drawPresets(list, { preset: chosen, compare: other }) {
      drawOptions(preset, list.presets, chosen || list.default, []);
      drawOptions(compare, list.presets, other, [h("option", { value: "" }, "nothing")]);
    },
  };
}

function drawOptions(select, presets, chosen, first) {
  const options = presets.map(({ name, state, head }) => h(
    "option", { value: name, disabled: head === "missing" }, `${name} – ${head === "missing" ? "has no head" : STATES[state]}`));
  const isKnown = !chosen || presets.some(({ name }) => name === chosen);
  if (!isKnown) options.push(h("option", { value: chosen }, `${chosen} – unknown`));
  const drawn = [...first, ...options];
  // An open list would jump under somebody's finger if it were drawn anew for nothing.
  const labels = (list) => Array.from(list, (option) => option.textContent).join("\n");
  if (labels(select.options) !== labels(drawn)) select.replaceChildren(...drawn);
  select.value = chosen;
}
