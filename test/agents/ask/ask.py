# httpx, which openai's and anthropic's libraries for Python stand on: HTTP/2 where it is
# installed for it, its own trust of SSL_CERT_FILE.
import json
import ssl
import sys

import httpx

context = ssl.create_default_context()
body = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": sys.argv[1]}],
}
headers = {"x-api-key": "simulated-key", "anthropic-version": "2023-06-01"}
with httpx.Client(verify=context, http2=sys.argv[2] == "h2") as client:
    said = client.post("https://api.anthropic.com/v1/messages", json=body, headers=headers)
answer = said.json()
if said.status_code != 200:
    print(said.status_code, answer["error"]["message"])
    sys.exit(1)
print(said.http_version, answer["content"][0]["text"])
