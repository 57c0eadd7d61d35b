FEATURE = {"modules": {"Main": {"formPostAuth": False, "url": "{BASE_URL}/index.html"}}}
