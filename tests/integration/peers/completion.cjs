// Prints as JSON what the PromQL editor offers at some places of a query. Argument: the server's base URL.
// CommonJS, as the editor's package is: an instance of @codemirror/state from another module system is not its own.
const {CompletionContext} = require("@codemirror/autocomplete");
const {EditorState} = require("@codemirror/state");
const {PromQLExtension, newCompleteStrategy} = require("@prometheus-io/codemirror-promql");

const requests = [];
const errors = [];

const strategy = newCompleteStrategy({
  remote: {
    url: process.argv[2],
    httpErrorHandler: error => errors.push(String(error)),
    fetchFn: async (input, init) => {
      const reply = await fetch(input, init);
      requests.push(`${init?.method || "GET"} ${input}`);
      if (!reply.ok) errors.push(`${input}: ${reply.status}`);
      return reply;
    },
  },
});

// What is offered where `|` stands in `text`.
async function complete(text) {
  const at = text.indexOf("|");
  const state = EditorState.create({
    doc: text.replace("|", ""),
    extensions: [new PromQLExtension().asExtension()],
  });
  const result = await strategy.promQL(new CompletionContext(state, at, true));
  return result ? result.options : [];
}

const labels = options => options.map(option => option.label);

async function main() {
  const metrics = await complete("|");
  const out = {
    metric: labels(metrics),
    detail: metrics.find(option => option.label === "http_requests_total")?.detail,
    label: labels(await complete("http_requests_total{|}")),
    value: labels(await complete('http_requests_total{code="|"}')),
    grouping: labels(await complete("sum by (|) (http_requests_total)")),
    requests,
    errors,
  };
  console.log(JSON.stringify(out));
}

main();
