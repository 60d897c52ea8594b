// Draws what openapi.json says. All addresses are relative, so it does not matter under which
// prefix a proxy offers the service.
"use strict";

const trouble = document.getElementById("trouble");
const ask = document.getElementById("ask");
const dark = matchMedia("(prefers-color-scheme: dark)");
let key = ""; // kept nowhere: it is gone with the page

async function start() {
  trouble.hidden = true;
  const answer = await fetch("openapi.json", { headers: showKey({}) });
  if (answer.status === 401) {
    if (key) say("That key does not open this server. Look at it, and give it once more.");
    ask.hidden = false;
    document.getElementById("key").focus();
    return;
  }
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
  ask.hidden = true;
  draw(await answer.json());
}

function draw(spec) {
  // Where this page lies is where the routes are, whatever the server was told of proxies.
  const root = new URL(".", location.href).pathname.replace(/\/$/, "");
  spec.servers = [{ url: root || "/" }];
  SwaggerUIBundle({
    spec,
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null, // the default is a server of others
    requestInterceptor: (request) => {
      showKey(request.headers);
      return request;
    },
  });
}

function showKey(headers) {
  if (key && !headers.Authorization) headers.Authorization = `Bearer ${key}`;
  return headers;
}

function say(sentence) {
  trouble.textContent = sentence;
  trouble.hidden = false;
}

function fail(error) {
  say(`The server does not say what it offers (${error.message}). Try again in a moment.`);
}

function paint() {
  document.documentElement.classList.toggle("dark-mode", dark.matches); // Swagger UI's own name
}

dark.addEventListener("change", paint);
ask.addEventListener("submit", (event) => {
  event.preventDefault();
  key = document.getElementById("key").value.trim();
  start().catch(fail);
});

paint();
start().catch(fail);
