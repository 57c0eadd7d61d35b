$(() =>
  tecton.connected.then(() => {
    const said = $(".said");
    const call = (route, body = {}) => tecton.sources.requestExtensionData({ route, body }).then(({ data }) => data);
    const refuse = () => said.text("That did not work. Try the next code.");

    call("what").then(({ payments, action }) => {
      if (payments.length) $(".what").text("Payments: " + payments.join(" / "));
      else $(".what").text(action);
      $("#otp").prop("disabled", false);
    }, refuse);

    function enter() {
      said.text("One moment.");
      call("enter", { otp: $("#otp").val() })
        .then(({ token }) => tecton.actions.verifyMFA({ token }))
        .then(() => said.text("Thank you, it is approved."))
        .catch(refuse);
    }

    $(".go").on("click", enter);
    $(".leave").on("click", () => tecton.actions.verifyMFA({ exit: true }));
  }),
);
