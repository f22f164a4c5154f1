// Python in a thread of its own, so that the page stays quick. A message is [number, request]; the answer is
// [number, reply], both as workbook.call takes and gives them; ["state", words] tells how far the start is.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const say = (words) => postMessage(["state", words]);

async function start() {
  say("loading Python");
  const book = fetch(new URL("tinylib.zip", import.meta.url)).then((r) => {
    if (!r.ok) throw new Error(`tinylib.zip: ${r.status}`);
    return r.arrayBuffer();
  });
  const python = await loadPyodide({ indexURL: new URL("pyodide/", import.meta.url).href, stdout: () => {} });
  say("loading the book");
  python.unpackArchive(await book, "zip", { extractDir: "/book" });
  python.runPython("import sys; sys.path.insert(0, '/book'); import workbook, tinylib.lab");
  const workbook = python.pyimport("workbook");
  say("ready");
  return (request) => workbook.call(request);
}

addEventListener("unhandledrejection", (event) => { // also where Python itself waits for a file that does not come
  event.preventDefault();
  const why = String(event.reason?.message ?? event.reason);
  postMessage(["failed", event.reason instanceof TypeError ? `a file of it could not be loaded (${why})` : why]);
});
const ready = start();
onmessage = async ({ data: [number, request] }) => postMessage([number, (await ready)(request)]);
