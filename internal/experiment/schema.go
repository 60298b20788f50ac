package experiment

import (
	"encoding/json"
	"fmt"
)

const schemaDraft = "https://json-schema.org/draft/2020-12/schema"

// Schema gives the JSON Schema of an experiment file, for editors. It
// is made from the table that the parser reads by.
func Schema() []byte {
	return schemaText("Experiment", "An experiment of assay: one file in experiments/.", objectSchema(experimentFields()))
}

// MetricSchema gives the JSON Schema of a metric file.
func MetricSchema() []byte {
	body := objectSchema(metricFields())
	var needs []schema
	for _, kind := range kinds() {
		is := schema{"properties": schema{"kind": schema{"const": string(kind)}}, "required": []string{"kind"}}
		needs = append(needs, schema{"if": is, "then": schema{"required": needed(kind)}})
	}
	body["allOf"] = needs
	return schemaText("Metric", "A metric of assay: one file in metrics/.", body)
}

func schemaText(title, about string, body schema) []byte {
	body["$schema"], body["title"], body["description"] = schemaDraft, title, about
	b, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("schema %s: %v", title, err)) // maps, lists and words only
	}
	return append(b, '\n')
}
