// The key that somebody gave, for as long as this tab is open.

const NAME = "fillmask-key";
let unkept = ""; // where storage is forbidden

export function readKey() {
  try { return sessionStorage.getItem(NAME) ?? unkept; } catch { return unkept; }
}

export function keepKey(key) {
  unkept = key;
  try {
    if (key) sessionStorage.setItem(NAME, key);
    else sessionStorage.removeItem(NAME);
  } catch { /* it is kept until the page is loaded anew */ }
}
