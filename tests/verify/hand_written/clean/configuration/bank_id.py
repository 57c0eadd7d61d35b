import os as __os

CLIENT_ID = "online-banking"
CLIENT_SECRET = __os.getenv("BANK_ID_CLIENT_SECRET")
TOKEN_ENDPOINT = "https://login.bank.example/token"
LOCAL_PROVIDER = "http://localhost:8080"
