import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import dev.openfeature.contrib.providers.ofrep.OfrepProvider;
import dev.openfeature.contrib.providers.ofrep.OfrepProviderOptions;
import dev.openfeature.sdk.Client;
import dev.openfeature.sdk.FlagEvaluationDetails;
import dev.openfeature.sdk.MutableContext;
import dev.openfeature.sdk.OpenFeatureAPI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** OpenFeature's SDK for Java. Reads questions as JSON, writes what it was told. */
class ClientProgram {
    public static void main(String[] args) throws Exception {
        ObjectMapper json = new ObjectMapper();
        JsonNode asked = json.readTree(args[0]);
        String token = asked.get("token").asText();
        var headers = ImmutableMap.<String, ImmutableList<String>>builder();
        if (!token.isEmpty()) {
            headers.put("Authorization", ImmutableList.of("Bearer " + token));
        }
        OpenFeatureAPI api = OpenFeatureAPI.getInstance();
        api.setProviderAndWait(OfrepProvider.constructProvider(
                OfrepProviderOptions.builder().baseUrl(asked.get("url").asText()).headers(headers.build()).build()));
        Client client = api.getClient();
        List<Map<String, Object>> told = new ArrayList<>();
        for (JsonNode q : asked.get("questions")) {
            MutableContext context = q.get("unit").asText().isEmpty() ? new MutableContext() : new MutableContext(q.get("unit").asText());
            q.get("attributes").properties().forEach(a -> add(context, a.getKey(), a.getValue()));
            told.add(told(ask(client, q, context)));
        }
        System.out.println(json.writeValueAsString(told));
        System.exit(0);
    }

    static FlagEvaluationDetails<?> ask(Client client, JsonNode q, MutableContext context) {
        String flag = q.get("flag").asText();
        JsonNode fallback = q.get("default");
        if (fallback.isBoolean()) {
            return client.getBooleanDetails(flag, fallback.asBoolean(), context);
        }
        if (fallback.isTextual()) {
            return client.getStringDetails(flag, fallback.asText(), context);
        }
        return client.getDoubleDetails(flag, fallback.asDouble(), context);
    }

    static void add(MutableContext context, String name, JsonNode value) {
        if (value.isBoolean()) {
            context.add(name, value.asBoolean());
        } else if (value.isInt()) {
            context.add(name, value.asInt());
        } else {
            context.add(name, value.asText());
        }
    }

    static Map<String, Object> told(FlagEvaluationDetails<?> d) {
        Map<String, Object> metadata = new LinkedHashMap<>();
        if (d.getFlagMetadata() != null) {
            metadata.put("inExperiment", d.getFlagMetadata().getBoolean("inExperiment"));
            metadata.put("configVersion", d.getFlagMetadata().getInteger("configVersion"));
        }
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("value", d.getValue());
        out.put("variant", d.getVariant());
        out.put("reason", d.getReason());
        out.put("error", d.getErrorCode() == null ? null : d.getErrorCode().name());
        out.put("metadata", metadata);
        return out;
    }
}
