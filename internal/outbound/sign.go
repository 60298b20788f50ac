package outbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// whsec marks a Standard Webhooks secret whose rest is base64.
const whsec = "whsec_"

// SigningKey turns the configured secret into the key of the HMAC.
func SigningKey(s Secret) ([]byte, error) {
	encoded, ok := strings.CutPrefix(string(s), whsec)
	if !ok {
		return []byte(s), nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("the secret begins with %s, but its rest is not base64", whsec)
	}
	return key, nil
}

// Sign adds the headers of Standard Webhooks 1.0: the id names the message and
// stays the same at every attempt, the timestamp is that of the attempt, the
// signature is HMAC-SHA256 of "id.timestamp.body".
func Sign(h http.Header, key []byte, id string, at time.Time, body []byte) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", timestamp)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
