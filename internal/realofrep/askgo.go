package realofrep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/open-feature/go-sdk/openfeature"
)

// askGo asks by OpenFeature's SDK for Go. Its provider of OFREP is in no module that can
// be had, so this has one of its own.
func askGo(ctx context.Context, url, token string, questions []Question) ([]Told, error) {
	const domain = "assay"
	if err := openfeature.SetNamedProviderAndWait(domain, provider{url, token}); err != nil {
		return nil, fmt.Errorf("go: %w", err)
	}
	client := openfeature.NewClient(domain)
	told := make([]Told, 0, len(questions))
	for _, q := range questions {
		about := openfeature.NewEvaluationContext(q.Unit, q.Attributes)
		var value any
		var d openfeature.EvaluationDetails
		switch v := q.Default.(type) {
		case bool:
			got, _ := client.BooleanValueDetails(ctx, q.Flag, v, about) // an error is in the details too
			value, d = got.Value, got.EvaluationDetails
		case string:
			got, _ := client.StringValueDetails(ctx, q.Flag, v, about)
			value, d = got.Value, got.EvaluationDetails
		case float64:
			got, _ := client.FloatValueDetails(ctx, q.Flag, v, about)
			value, d = got.Value, got.EvaluationDetails
		}
		told = append(told, Told{Value: value, Variant: d.Variant, Reason: string(d.Reason), Error: string(d.ErrorCode), Metadata: d.FlagMetadata})
	}
	return told, nil
}

// provider is a client of OFREP.
type provider struct{ url, token string }

func (provider) Metadata() openfeature.Metadata { return openfeature.Metadata{Name: "ofrep"} }

func (provider) Hooks() []openfeature.Hook { return nil }

func evaluate[T any](ctx context.Context, p provider, flag string, fallback T, about openfeature.FlattenedContext) (T, openfeature.ProviderResolutionDetail) {
	var answer struct {
		Value                                    T
		Variant, Reason, ErrorCode, ErrorDetails string
		Metadata                                 map[string]any
	}
	status, err := p.post(ctx, flag, about, &answer)
	if err != nil {
		return fallback, openfeature.ProviderResolutionDetail{ResolutionError: openfeature.NewGeneralResolutionError(err.Error()), Reason: openfeature.ErrorReason}
	}
	if status == http.StatusOK {
		return answer.Value, openfeature.ProviderResolutionDetail{Variant: answer.Variant, Reason: openfeature.Reason(answer.Reason), FlagMetadata: answer.Metadata}
	}
	no := openfeature.NewGeneralResolutionError(fmt.Sprint("status ", status))
	switch answer.ErrorCode {
	case "FLAG_NOT_FOUND":
		no = openfeature.NewFlagNotFoundResolutionError(answer.ErrorDetails)
	case "TARGETING_KEY_MISSING":
		no = openfeature.NewTargetingKeyMissingResolutionError(answer.ErrorDetails)
	}
	return fallback, openfeature.ProviderResolutionDetail{ResolutionError: no, Reason: openfeature.ErrorReason}
}

// post asks for one flag. Only an answer in JSON is read.
func (p provider) post(ctx context.Context, flag string, about openfeature.FlattenedContext, answer any) (status int, err error) {
	body, err := json.Marshal(map[string]any{"context": about})
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/ofrep/v1/evaluate/flags/"+flag, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		r.Header.Set("X-API-Key", p.token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		return resp.StatusCode, nil
	}
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(answer)
}

func (p provider) BooleanEvaluation(ctx context.Context, flag string, fallback bool, about openfeature.FlattenedContext) openfeature.BoolResolutionDetail {
	value, d := evaluate(ctx, p, flag, fallback, about)
	return openfeature.BoolResolutionDetail{Value: value, ProviderResolutionDetail: d}
}

func (p provider) StringEvaluation(ctx context.Context, flag string, fallback string, about openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	value, d := evaluate(ctx, p, flag, fallback, about)
	return openfeature.StringResolutionDetail{Value: value, ProviderResolutionDetail: d}
}

func (p provider) FloatEvaluation(ctx context.Context, flag string, fallback float64, about openfeature.FlattenedContext) openfeature.FloatResolutionDetail {
	value, d := evaluate(ctx, p, flag, fallback, about)
	return openfeature.FloatResolutionDetail{Value: value, ProviderResolutionDetail: d}
}

func (p provider) IntEvaluation(ctx context.Context, flag string, fallback int64, about openfeature.FlattenedContext) openfeature.IntResolutionDetail {
	value, d := evaluate(ctx, p, flag, fallback, about)
	return openfeature.IntResolutionDetail{Value: value, ProviderResolutionDetail: d}
}

func (p provider) ObjectEvaluation(ctx context.Context, flag string, fallback any, about openfeature.FlattenedContext) openfeature.InterfaceResolutionDetail {
	value, d := evaluate(ctx, p, flag, fallback, about)
	return openfeature.InterfaceResolutionDetail{Value: value, ProviderResolutionDetail: d}
}
