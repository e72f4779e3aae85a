// The view of an MCP App: tells its host that it is here, and shows the attempt that a tool's result brings. JSON-RPC over postMessage.
"use strict";
const VIEW = "io.github.mcp-memory/view";
const INITIALIZE = 1;
const main = document.getElementById("main");
function send(message) {
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}
function dress(context) {
  if (context && (context.theme === "light" || context.theme === "dark")) {
    document.documentElement.dataset.theme = context.theme;
  }
}
function show(result) {
  const view = result && result._meta && result._meta[VIEW];
  if (typeof view === "string") {
    main.innerHTML = view; // made by our server, every value escaped; the policy lets no script of it run
    return;
  }
  const text = ((result && result.content) || []).filter((part) => part.type === "text").map((part) => part.text);
  const shown = document.createElement("pre");
  shown.textContent = text.join("\n");
  main.replaceChildren(shown);
}
window.addEventListener("message", (event) => {
  const message = event.data;
  if (event.source !== window.parent || !message || message.jsonrpc !== "2.0") {
    return;
  }
  if (message.id === INITIALIZE && message.result) {
    dress(message.result.hostContext);
    send({ method: "ui/notifications/initialized", params: {} });
  } else if (message.method === "ui/notifications/tool-result") {
    show(message.params);
  } else if (message.method === "ui/notifications/tool-cancelled") {
    show({ content: [{ type: "text", text: "The call was cancelled." }] });
  } else if (message.method === "ui/notifications/host-context-changed") {
    dress(message.params);
  } else if (message.method && message.id !== undefined) {
    const known = message.method === "ping" || message.method === "ui/resource-teardown";
    send({ id: message.id, ...(known ? { result: {} } : { error: { code: -32601, message: "Method not found" } }) });
  }
});
new ResizeObserver(() => {
  const { scrollWidth: width, scrollHeight: height } = document.documentElement;
  send({ method: "ui/notifications/size-changed", params: { width, height } });
}).observe(document.body);
send({
  id: INITIALIZE,
  method: "ui/initialize",
  params: { protocolVersion: "2026-01-26", appInfo: { name: "mcp-memory", version: "1" }, appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] } },
});
