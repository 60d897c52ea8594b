// The request as code, and a link to the question.

import { bodyOf } from "../question/request.js";
import { LANGUAGES } from "../question/snippets.js";
import { readKey } from "../server/key.js";
import { byId } from "./element.js";

/** Bind what can be copied to a question. */
export function bindCode(question) {
  const [code, copied] = ["code", "copied"].map(byId);
  const languages = [...document.querySelectorAll("input[name=language]")];

  const draw = () => {
    const { value } = languages.find((each) => each.checked);
    const url = new URL("fill-mask", document.baseURI).href;
    code.textContent = LANGUAGES[value](url, bodyOf(question.now), Boolean(readKey()));
    copied.textContent = "";
  };

  const copy = async (text, said) => {
    try {
      await navigator.clipboard.writeText(text);
      copied.textContent = said;
    } catch { // without TLS, browsers keep the clipboard from pages of other machines
      getSelection().selectAllChildren(code);
      copied.textContent = text === code.textContent
        ? "Selected: press Ctrl+C, or ⌘C." : "The address of this page is the link.";
    }
  };

  for (const each of languages) each.onchange = draw;
  byId("copy-code").onclick = () => copy(code.textContent, "Copied.");
  byId("copy-link").onclick = () => copy(location.href, "The link is copied.");
  return { draw };
}
