// A request as code. A key is named, and never written down.

const KEY = "FILLMASK_API_KEY";

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(url, body, hasKey) {
  const lines = [`curl -s ${quote(url)}`, `-H ${quote("content-type: application/json")}`];
  if (hasKey) lines.push(`-H "authorization: Bearer $${KEY}"`);
  lines.push(`-d ${quote(JSON.stringify(body))}`);
  return lines.join(" \\\n  ");
}

// JSON of texts, numbers and lists is Python too.
function python(url, body, hasKey) {
  const key = `\n    "authorization": "Bearer " + os.environ["${KEY}"],`;
  return `import json${hasKey ? "\nimport os" : ""}
from urllib.request import Request, urlopen

body = ${JSON.stringify(body, null, 4)}
headers = {
    "content-type": "application/json",${hasKey ? key : ""}
}
request = Request(${JSON.stringify(url)}, json.dumps(body).encode(), headers)
with urlopen(request) as response:
    print(json.dumps(json.load(response), indent=2))`;
}

function javascript(url, body, hasKey) {
  const key = `\n    "authorization": \`Bearer \${process.env.${KEY}}\`,`;
  return `const response = await fetch(${JSON.stringify(url)}, {
  method: "POST",
  headers: {
    "content-type": "application/json",${hasKey ? key : ""}
  },
  body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll("\n", "\n  ")}),
});
console.log(JSON.stringify(await response.json(), null, 2));`;
}

export const LANGUAGES = { curl, python, javascript };
