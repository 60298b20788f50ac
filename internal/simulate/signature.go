package simulate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tolerance is how far a message's timestamp may be away from our clock. It
// bounds how long a message that somebody recorded could be played again.
const tolerance = 5 * time.Minute

// verify checks a message as any receiver of Standard Webhooks would. It shares
// no code with the side that signs: the two agree by the standard alone.
func verify(h http.Header, body []byte, secret string, now time.Time) error {
	id, stamp := h.Get("webhook-id"), h.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if id == "" || err != nil {
		return errors.New("webhook-id or webhook-timestamp is missing")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age.Abs() > tolerance {
		return errors.New("the message is too old, or a clock is wrong")
	}
	key := []byte(secret)
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return errors.New("the receiver's secret is not base64")
		}
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	for entry := range strings.FieldsSeq(h.Get("webhook-signature")) {
		version, text, _ := strings.Cut(entry, ",")
		got, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return errors.New("no signature matches")
}
