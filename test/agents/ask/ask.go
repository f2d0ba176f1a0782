// net/http, which every SDK in Go stands on: HTTP/2 by ALPN, roots from SSL_CERT_FILE.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	body, _ := json.Marshal(map[string]any{
		"model":    "gpt-4.1-mini",
		"messages": []map[string]string{{"role": "user", "content": os.Args[1]}},
	})
	request, _ := http.NewRequest("POST", "https://api.openai.com/v1/chat/completions", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer simulated-key")
	said, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	text, _ := io.ReadAll(said.Body)
	fmt.Println(said.Proto, string(text))
	if said.StatusCode != 200 {
		os.Exit(1)
	}
}
