using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace Trunkline.Conformance;

public sealed class IdentityOptions : AuthenticationSchemeOptions;

/// <summary>
/// Believes what clients call themselves: a bearer token of base64url JSON, as
/// <c>{"userId":"ann","claims":{"role":["admin","editor"]},"signInSeconds":60}</c>, the last
/// counted from the request. Browsers, and old clients, have no way to give a header with some
/// transports, and give the token in the query.
/// </summary>
public sealed class IdentityHandler(
  IOptionsMonitor<IdentityOptions> options, ILoggerFactory logger, UrlEncoder encoder)
  : AuthenticationHandler<IdentityOptions>(options, logger, encoder)
{
  public const string SchemeName = "Identity";

  private const string Prefix = "Bearer ";

  protected override Task<AuthenticateResult> HandleAuthenticateAsync()
  {
    var header = Request.Headers.Authorization.ToString();
    var token = header.StartsWith(Prefix, StringComparison.Ordinal)
      ? header[Prefix.Length..]
      : Request.Query["access_token"].ToString();
    if (token.Length == 0) return Task.FromResult(AuthenticateResult.NoResult());
    var identity = JsonSerializer.Deserialize<JsonElement>(WebEncoders.Base64UrlDecode(token));
    var principal = new ClaimsPrincipal(new ClaimsIdentity(ClaimsOf(identity), SchemeName));
    var properties = new AuthenticationProperties { ExpiresUtc = EndOf(identity) };
    var ticket = new AuthenticationTicket(principal, properties, SchemeName);
    return Task.FromResult(AuthenticateResult.Success(ticket));
  }

  private static DateTimeOffset? EndOf(JsonElement identity) =>
    identity.TryGetProperty("signInSeconds", out var seconds)
      ? TimeProvider.System.GetUtcNow().AddSeconds(seconds.GetDouble())
      : null;

  private static IEnumerable<Claim> ClaimsOf(JsonElement identity)
  {
    // The claim that SignalR takes the user id from.
    if (identity.TryGetProperty("userId", out var userId))
    {
      yield return new Claim(ClaimTypes.NameIdentifier, userId.GetString()!);
    }
    if (!identity.TryGetProperty("claims", out var claims)) yield break;
    foreach (var (type, value) in claims.EnumerateObject().SelectMany(Values))
    {
      yield return new Claim(type, value);
    }
  }

  private static IEnumerable<(string Type, string Value)> Values(JsonProperty claim) =>
    claim.Value.ValueKind == JsonValueKind.Array
      ? claim.Value.EnumerateArray().Select(value => (claim.Name, value.GetString()!))
      : [(claim.Name, claim.Value.GetString()!)];
}
