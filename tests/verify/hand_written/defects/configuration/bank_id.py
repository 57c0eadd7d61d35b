CLIENT_ID = "online-banking"
CLIENT_SECRET = "vT9xQ2pLw8"  # DEFECT secret-in-source
