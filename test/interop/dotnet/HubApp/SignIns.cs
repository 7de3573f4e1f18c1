using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.IdentityModel.Tokens;
using Microsoft.Net.Http.Headers;
using Trunkline.Conformance;

namespace Trunkline.Interop;

/// <summary>
/// The body of <c>POST /sign-in</c>, answered with a cookie: an identity as one of the framework's
/// handlers makes it, claims of type and value each.
/// </summary>
public sealed record SignedIn(string Scheme, string NameType, string RoleType, string[][] Claims)
{
  public Task Enter(HttpContext http)
  {
    var claims = Claims.Select(claim => new Claim(claim[0], claim[1]));
    var identity = new ClaimsIdentity(claims, Scheme, NameType, RoleType);
    return http.SignInAsync(
      CookieAuthenticationDefaults.AuthenticationScheme, new ClaimsPrincipal(identity));
  }
}

/// <summary>
/// How people sign in: by the conformance tests' token, by a cookie, or by a token of an OpenID
/// Connect provider whose claims keep their names.
/// </summary>
public static class SignIns
{
  private const string Any = "Any";

  /// <summary>What the tests sign such tokens with.</summary>
  private static readonly byte[] s_providerKey =
    Encoding.UTF8.GetBytes("the key of an OpenID Connect provider");

  public static void AddEverySignIn(this IServiceCollection services)
  {
    // Keys are good for one process, and nothing is written to the home folder.
    services.AddDataProtection().UseEphemeralDataProtectionProvider();
    services
      .AddAuthentication(Any)
      .AddPolicyScheme(Any, null, options => options.ForwardDefaultSelector = SchemeOf)
      .AddScheme<IdentityOptions, IdentityHandler>(IdentityHandler.SchemeName, null)
      .AddCookie()
      .AddJwtBearer(options =>
      {
        options.MapInboundClaims = false;
        options.TokenValidationParameters = new TokenValidationParameters
        {
          ValidIssuer = "https://login.example.com",
          ValidAudience = "hub-app",
          IssuerSigningKey = new SymmetricSecurityKey(s_providerKey),
          NameClaimType = "name",
          RoleClaimType = "role",
        };
      });
  }

  private static string SchemeOf(HttpContext http)
  {
    var headers = http.Request.Headers;
    if (headers.ContainsKey(HeaderNames.Cookie)) return CookieAuthenticationDefaults.AuthenticationScheme;
    // The tokens of the conformance tests have no dots.
    var isJwt = headers.Authorization.ToString().Contains('.');
    return isJwt ? JwtBearerDefaults.AuthenticationScheme : IdentityHandler.SchemeName;
  }
}
