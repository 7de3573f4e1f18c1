using System.Net.Http.Json;

namespace Trunkline.Conformance;

/// <summary>
/// What the app servers of one app share, as ../contract.ts says: journals of connections with a tag,
/// and gates. They are kept where NOTES_URL says.
/// </summary>
public sealed class Notes(IConfiguration configuration)
{
  // Somebody may wait long at a gate.
  private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false })
  {
    Timeout = Timeout.InfiniteTimeSpan,
  };

  public Task Add(string tag, string entry) => Post("journal", tag, entry);

  public async Task<string[]> Read(string tag) =>
    (await _http.GetFromJsonAsync<string[]>(Url("journal", tag)))!;

  public Task Pass(string gate) => _http.GetStringAsync(Url("gate", gate));

  public Task Open(string gate) => Post("gate", gate, "");

  private async Task Post(string what, string name, string body)
  {
    using var answer = await _http.PostAsync(Url(what, name), new StringContent(body));
    answer.EnsureSuccessStatusCode();
  }

  private string Url(string what, string name)
  {
    var url = configuration["NOTES_URL"]
      ?? throw new InvalidOperationException("this app was started without NOTES_URL");
    return $"{url}/{what}?name={Uri.EscapeDataString(name)}";
  }
}
