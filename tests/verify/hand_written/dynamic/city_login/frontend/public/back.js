const say = (text) => (document.getElementById("said").textContent = text);

async function comeBack() {
  await tecton.connected;
  try {
    const { data } = await tecton.sources.requestExtensionData({ route: "came_back", body: answer });
    await tecton.actions.verifyMFA({ token: data.token });
    say("Success.");
  } catch {
    say("The city's login was not accepted.");
  }
}

comeBack();
