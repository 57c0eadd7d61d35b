FEATURE = {"modules": {"Main": {"formPostAuth": False, "url": "{BASE_URL}/index.html"}}}
OIDC_URL = "https://login.city.example"
OIDC_CLIENT = "online-banking"
OIDC_SECRET = ""
