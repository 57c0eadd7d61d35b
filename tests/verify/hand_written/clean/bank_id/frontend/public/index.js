tecton.connected.then((api) => {
  document.querySelector("#go").addEventListener("click", async () => {
    const answer = await api.sources.requestExtensionData({ route: "leave", body: {} });
    location.replace(answer.data.url);
  });
});
