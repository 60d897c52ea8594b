// Asking for a key where the server does.

import { keepKey, readKey } from "../server/key.js";
import { byId } from "./element.js";

/** Bind the form. `onKey`: there is another key now. */
export function bindKeyForm(onKey) {
  const [form, key, forget] = ["key-form", "key", "forget-key"].map(byId);
  const draw = () => { forget.hidden = !readKey(); };
  const use = (value) => {
    keepKey(value);
    key.value = "";
    form.hidden = true;
    draw();
    onKey();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    use(key.value.trim());
  });
  forget.onclick = () => use("");
  draw();

  return {
    /** Ask, if that is what a refusal is about. */
    askFor(refusal) {
      if (refusal.code !== "unauthorized" || !form.hidden) return;
      form.hidden = false;
      key.focus();
    },
  };
}
