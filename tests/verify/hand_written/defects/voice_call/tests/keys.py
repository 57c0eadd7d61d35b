KEY = """
-----BEGIN RSA PRIVATE KEY-----  # DEFECT secret-in-source
"""
