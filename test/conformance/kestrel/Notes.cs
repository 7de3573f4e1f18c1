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
  private readonly object _adding = new();
  private Task _added = Task.CompletedTask;

  /// <summary>
  /// Holds nobody up: what a hub does next could else come too late for what a scenario is about.
  /// </summary>
  public void Add(string tag, string entry)
  {
    lock (_adding) _added = AddAfter(_added, tag, entry);
  }

  /// <summary>Reads a journal, with all that was added here before.</summary>
  public async Task<string[]> Read(string tag)
  {
    Task added;
    lock (_adding) added = _added;
    await added;
    return (await _http.GetFromJsonAsync<string[]>(Url("journal", tag)))!;
  }

  public Task Pass(string gate) => _http.GetStringAsync(Url("gate", gate));

  public Task Open(string gate) => Post("gate", gate, "");

  private async Task AddAfter(Task before, string tag, string entry)
  {
    await before;
    await Post("journal", tag, entry);
  }

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
