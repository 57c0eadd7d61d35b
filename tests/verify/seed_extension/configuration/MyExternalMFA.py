FEATURE = {
    "core": False,
    "additionalDomains": ["https://idp.example.com"],
    "modules": {
        "Main": {
            "overpanel": False,
            "primary": True,
            "navigable": True,
            "formPostAuth": False,
            "url": "{BASE_URL}/verify.html",
            "meta": {"type": {"shape": "Content", "context": "None"}},
        }
    },
}
