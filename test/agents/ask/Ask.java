import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** java.net.http, which LangChain4j and Spring AI stand on: HTTP/2 by ALPN. */
public class Ask {
  public static void main(String[] args) throws Exception {
    String prompt = args[0].replace("\\", "\\\\").replace("\"", "\\\"");
    String body =
        "{\"model\":\"gpt-4.1-mini\",\"messages\":[{\"role\":\"user\",\"content\":\""
            + prompt
            + "\"}]}";
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("https://api.openai.com/v1/chat/completions"))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("authorization", "Bearer simulated-key")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    HttpResponse<String> said =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    System.out.write((said.version() + " " + said.body() + "\n").getBytes("UTF-8"));
    System.out.flush();
    System.exit(said.statusCode() == 200 ? 0 : 1);
  }
}
