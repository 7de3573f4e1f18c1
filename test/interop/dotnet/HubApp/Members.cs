using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.SignalR;

namespace Trunkline.Interop;

/// <summary>For those alone who have signed in.</summary>
[Authorize]
public sealed class Members : Hub
{
  public string Name() => Context.UserIdentifier!;

  [Authorize(Roles = "admin")]
  public string Secret() => "the vault is empty";
}
