using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.SignalR;

namespace Trunkline.Interop;

/// <summary>What a hub sees of who calls it; claims are of type and value each.</summary>
public sealed record Badge(
  string? UserIdentifier,
  string? AuthenticationType,
  string? Name,
  string? Sub,
  string? Email,
  string[] Roles,
  string[][] Claims);

/// <summary>For those alone who have signed in.</summary>
[Authorize]
public sealed class Members : Hub
{
  private static readonly string[] s_roles = ["admin", "editor", "visitor"];

  public string Name() => Context.UserIdentifier!;

  [Authorize(Roles = "admin")]
  public string Secret() => "the vault is empty";

  public Badge Badge()
  {
    var user = Context.User!;
    return new(
      Context.UserIdentifier,
      user.Identity!.AuthenticationType,
      user.Identity.Name,
      user.FindFirst("sub")?.Value,
      user.FindFirst("email")?.Value ?? user.FindFirst(ClaimTypes.Email)?.Value,
      [.. s_roles.Where(user.IsInRole)],
      [.. user.Claims.Select(claim => new[] { claim.Type, claim.Value })]);
  }
}
