// What is asked now, and who wants to know when it changes.

export const DEFAULTS = Object.freeze({
  text: "The capital of France is [MASK].",
  preset: "", // the server's default
  compare: "", // none
  topK: 5,
  isJoint: false,
  targets: "",
});

const MOST_STEPS = 100; // that can be undone

/** Hold a question. Listeners are called with it and with the names of what changed. */
export function createQuestion(initial) {
  let now = { ...DEFAULTS, ...initial };
  const listeners = [];
  const earlier = [];

  const change = (part) => {
    const names = Object.keys(part).filter((name) => part[name] !== now[name]);
    if (!names.length) return;
    now = { ...now, ...part };
    for (const listen of listeners) listen(now, new Set(names));
  };

  return {
    get now() { return now; },
    get canUndo() { return earlier.length > 0; },
    listen(listener) { listeners.push(listener); },
    change,
    /** Change the text in one step that can be undone. */
    replaceText(text) {
      if (text === now.text) return;
      earlier.push(now.text);
      if (earlier.length > MOST_STEPS) earlier.shift();
      change({ text });
    },
    undo() {
      if (earlier.length) change({ text: earlier.pop() });
    },
  };
}
