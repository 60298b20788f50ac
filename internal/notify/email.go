package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"time"

	"github.com/assay-dev/assay/internal/outbound"
)

// EmailConfig is a server that takes mail (SMTP submission).
type EmailConfig struct {
	Server   string // host:port
	TLS      TLSMode
	User     string // empty: no login
	Password outbound.Secret
	From     string
	To       []string
	Roots    *tls.Config // for tests; nil: the system's authorities
}

// TLSMode is how the connection is protected.
type TLSMode string

// The modes.
const (
	StartTLS    TLSMode = "starttls" // the default; a server without it is refused
	ImplicitTLS TLSMode = "implicit" // from the first byte, as on port 465
	NoTLS       TLSMode = "none"     // no login then
)

// email sends one mail to all recipients. It never falls back to plain text.
type email struct {
	config EmailConfig
	host   string
	from   mail.Address
	to     []mail.Address
	hider  outbound.Hider
	now    func() time.Time
}

// NewEmail makes the channel.
func NewEmail(c EmailConfig) (Channel, error) {
	host, _, err := net.SplitHostPort(c.Server)
	if err != nil || host == "" {
		return nil, fmt.Errorf("server: %q is not host:port", c.Server)
	}
	e := &email{config: c, host: host, now: time.Now}
	switch c.TLS {
	case StartTLS, ImplicitTLS:
	case "":
		e.config.TLS = StartTLS
	case NoTLS:
		if c.User != "" {
			return nil, errors.New("tls: none sends the password to everybody; leave the user out, or use starttls or implicit")
		}
	default:
		return nil, fmt.Errorf("tls: unknown mode %q: starttls, implicit or none", c.TLS)
	}
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("from: %q is not an address", c.From)
	}
	e.from = *from
	for _, text := range c.To {
		to, err := mail.ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("to: %q is not an address", text)
		}
		e.to = append(e.to, *to)
	}
	if len(e.to) == 0 {
		return nil, errors.New("to: name at least one address")
	}
	e.hider.Hide(c.Password)
	return e, nil
}

// Send implements Channel.
func (e *email) Send(ctx context.Context, m Message) error { return e.send(ctx, e.compose(m)) }

// send makes one attempt to deliver a mail.
func (e *email) send(ctx context.Context, mail []byte) error {
	conn, err := outbound.NewDialer().DialContext(ctx, "tcp", e.config.Server)
	if err != nil {
		return fmt.Errorf("reach %s: %w", e.config.Server, err)
	}
	defer conn.Close()
	// Whatever hangs, it ends with the context.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if e.config.TLS == ImplicitTLS {
		conn = tls.Client(conn, e.tls())
	}
	if err := e.converse(conn, mail); err != nil {
		if ctx.Err() != nil {
			err = errors.New("no answer in time")
		}
		return e.failure(err)
	}
	return nil
}

func (e *email) tls() *tls.Config {
	c := e.config.Roots.Clone()
	if c == nil {
		c = &tls.Config{}
	}
	c.MinVersion, c.ServerName = tls.VersionTLS12, e.host
	return c
}

// converse is one mail, from the greeting to the goodbye.
func (e *email) converse(conn net.Conn, mail []byte) error {
	c, err := smtp.NewClient(conn, e.host)
	if err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	if e.config.TLS == StartTLS {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return final(errors.New("it offers no STARTTLS, and nothing is sent in the clear"))
		}
		if err := c.StartTLS(e.tls()); err != nil {
			return fmt.Errorf("begin TLS: %w", err)
		}
	}
	if e.config.User != "" {
		if err := c.Auth(smtp.PlainAuth("", e.config.User, string(e.config.Password), e.host)); err != nil {
			return fmt.Errorf("log in: %w", err)
		}
	}
	refused, err := e.envelope(c)
	if err != nil {
		return err
	}
	if err := e.data(c, mail); err != nil {
		return err
	}
	_ = c.Quit() // it is delivered, whatever is answered to the goodbye
	return refused
}

// envelope names sender and recipients. One recipient that is refused keeps the
// mail from nobody else.
func (e *email) envelope(c *smtp.Client) (refused, err error) {
	if err := c.Mail(e.from.Address); err != nil {
		return nil, fmt.Errorf("from %s: %w", e.from.Address, err)
	}
	taken := 0
	for _, to := range e.to {
		if err := c.Rcpt(to.Address); err != nil {
			refused = errors.Join(refused, fmt.Errorf("to %s: %w", to.Address, err))
			continue
		}
		taken++
	}
	if taken == 0 {
		return nil, refused
	}
	if refused != nil {
		// Once more would be twice for the others.
		refused = &Failure{Err: fmt.Errorf("sent to %d of %d: %w", taken, len(e.to), refused), Final: true, Partial: true}
	}
	return refused, nil
}

func (e *email) data(c *smtp.Client, mail []byte) error {
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("begin the text: %w", err)
	}
	if _, err := w.Write(mail); err != nil {
		return fmt.Errorf("write the text: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("end the text: %w", err)
	}
	return nil
}

// failure tells what may be tried again: RFC 5321 §4.2.1, replies of 5yz are for
// good, those of 4yz for now.
func (e *email) failure(err error) error {
	f := failureOf(err)
	var reply *textproto.Error
	if errors.As(err, &reply) && reply.Code >= 500 {
		f.Final = true
	}
	f.Err = fmt.Errorf("%s: %s", e.config.Server, e.hider.Show([]byte(err.Error())))
	return &f
}
