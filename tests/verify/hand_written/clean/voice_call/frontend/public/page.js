const ORIGIN = "https://voice.example.com";
const STEPS = { done: "/done", help: "/help" };

function call(route, body) {
  return tecton.sources.requestExtensionData({ route, body }).then((answer) => answer.data);
}

function onMessage(event) {
  if (event.origin !== ORIGIN) return;
  $("#said").text(event.data);
}

$(function () {
  $("#said").html("<b>Wait for the call.</b>");
  window.addEventListener("message", onMessage);
  window.parent.postMessage({ ready: true }, ORIGIN);
  const next = new URLSearchParams(location.search).get("next");
  if (Object.hasOwn(STEPS, next)) location.assign(next);
  $("#exit").on("click", () => tecton.actions.verifyMFA({ exit: true }));
  $("#go").on("click", function () {
    call("finish", { code: $("#code").val() })
      .then((data) => tecton.actions.verifyMFA({ token: data.token }))
      .then(() => $("#said").text("Confirmed."))
      .catch(() => $("#said").text("That did not work."));
  });
  sessionStorage.setItem("step", "called");
  tecton.connected.then(() => call("begin", {})).catch(() => $("#said").text("Try again."));
});
