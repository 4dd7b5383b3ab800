"""An invented seller, and the client file of the program that the seller runs."""

from worker.gmail.credentials import Grant

OWNER = "seller@gmail.com"
CLIENT = {
    "installed": {
        "client_id": "1234.apps.googleusercontent.com",
        "client_secret": "not-so-secret",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "redirect_uris": ["http://localhost"],
    }
}
GRANT = Grant("refresh", "client", "secret", "https://oauth2.googleapis.com/token")
