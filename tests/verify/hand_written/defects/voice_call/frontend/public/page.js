async function call(route, body) {
  const answer = await tecton.sources.requestExtensionData({ route, body });
  return answer.data;
}

function onMessage(event) {
  $("#said").html(event.data.text); // DEFECT dom-xss
}

$(function () {
  window.addEventListener("message", onMessage); // DEFECT post-message
  window.parent.postMessage({ ready: true }, "*"); // DEFECT post-message
  const where = new URLSearchParams(location.search);
  const next = where.get("next");
  if (next) location.href = next; // DEFECT open-redirect
  document.getElementById("back").onclick = () => location.assign(document.referrer); // DEFECT open-redirect
  if (window.top !== window.self) window.top.location.href = location.href; // DEFECT framing-broken
  $("#code").on("paste", (event) => event.preventDefault()); // DEFECT input-hints
  $("#go").on("click", async function () {
    const data = await call("finish", { code: $("#code").val() });
    document.getElementById("said").innerHTML = "Hello " + data.name; // DEFECT dom-xss
    tecton.actions.verifyMFA({ token: data.token }); // DEFECT verify-ignored no-exit
  });
  $("#again").on("click", async () => {
    await tecton.actions.verifyMFA({ token: window.token }); // DEFECT verify-ignored
  });
  tecton.connected
    .then((api) => api.actions.verifyMFA({ token: window.token })) // DEFECT verify-ignored
    .then(() => $("#said").text("Confirmed."));
  const tracker = document.createElement("script");
  tracker.src = "https://cdn.tracker.example/t.js"; // DEFECT third-party-script
  document.head.append(tracker);
  setTimeout("location.reload()", 1000); // DEFECT dom-xss
});
