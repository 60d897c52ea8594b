// Asking again, calmly, where waiting helps.

import { fillMask } from "./api.js";

const MOST_TRIES = 120;
const LONGEST_PAUSE_S = 10;

// Seconds before the next try, or null where the same question would get the same answer.
function pauseAfter(refusal, tries) {
  const growing = Math.min(2 ** (tries - 1), LONGEST_PAUSE_S);
  switch (refusal.code) {
    case "overloaded": return refusal.retryAfterS ?? growing;
    case "timeout": // a load goes on behind it
    case "unreachable":
    case "shutting_down":
    case "engine_lost":
    case "preset_replaced": return growing;
    default: return null;
  }
}

const sleep = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

/** Ask until there is an answer, or a refusal that waiting does not mend.
 *
 * `onPause` is told each refusal that is waited out, and the seconds that are left of the pause.
 */
export async function ask(body, signal, onPause) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await fillMask(body, signal);
    } catch (refusal) {
      const pause = pauseAfter(refusal, tries);
      if (pause === null || tries === MOST_TRIES) throw refusal;
      for (let left = Math.ceil(pause); left > 0; left -= 1) {
        onPause(refusal, left);
        await sleep(1, signal);
      }
    }
  }
}
