//! Which options an attribute sets, and to what.

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Expr, Path};

use super::values;
use crate::catalog::{self, Spec};
use crate::diagnostics::Diagnostics;
use crate::limits;
use crate::parse::Argument;
use crate::stack::Requirement;
use crate::suggest::{closest, list};

/// The attribute's options, each as far as it is usable.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) provider: Option<Expr>,
    pub(crate) into: Option<Into>,
    /// `into` is there and does not say which parameter it is.
    pub(crate) into_is_unusable: bool,
    pub(crate) client: Option<Expr>,
    pub(crate) retry_if: Option<Expr>,
    /// The path of the runtime crate, if it is not `::agentcore_identity`.
    pub(crate) krate: Option<Path>,
    /// What else is said about the credential, in the order in which it is written.
    pub(crate) settings: Vec<Setting>,
}

/// The value of `into`.
pub(crate) struct Into {
    pub(crate) name: Ident,
    /// What was written, for errors to point at.
    pub(crate) value: Expr,
}

/// An option that is passed on to the request.
pub(crate) struct Setting {
    /// The option's name, which is also that of the request's method.
    pub(crate) option: &'static str,
    /// Where it is written.
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// How a [`Setting`] becomes the argument of the method.
pub(crate) enum Value {
    /// One text.
    Text(Expr),
    /// A list of texts.
    Texts(Expr),
    /// A text or a list of them.
    OneOrMoreTexts(Expr),
    /// Pairs of texts.
    Pairs(Expr),
    /// A variant of one of the runtime's types.
    Variant { ty: &'static str, variant: &'static str, written: &'static str },
    /// An expression that the function of this name makes such a variant from, if it can.
    Conversion { function: &'static str, expr: Expr },
    /// A function, which need not be given away.
    Handler(Expr),
    /// The expression as it is.
    AsIs(Expr),
}

impl Options {
    /// The value of the setting `option`.
    pub(crate) fn setting(&self, option: &str) -> Option<&Value> {
        self.settings.iter().find(|setting| setting.option == option).map(|setting| &setting.value)
    }
}

/// Says which options `arguments` set.
pub(super) fn options(requirement: &Requirement, arguments: Vec<Argument>, diagnostics: &mut Diagnostics) -> Options {
    let spec = requirement.spec;
    let mut options = Options::default();
    let mut given: Vec<(&'static str, Ident)> = Vec::new();
    let mut set = HashSet::new();
    let lacks_first = arguments.iter().all(|argument| argument.name.unraw() != spec.options[0]);
    for Argument { name, value } in arguments {
        // In `#[requires_api_key(openai)]` it is the value that was written, and not the option.
        let is_value = lacks_first && given.is_empty() && value.is_none();
        let Some(option) = option_named(spec, &name, is_value, diagnostics) else {
            continue;
        };
        given.push((option, name.clone()));
        let Some(value) = value else {
            options.into_is_unusable |= option == "into";
            continue;
        };
        if !set.insert(option) {
            diagnostics.under(&name, format_args!("`{option}` is given twice: keep one of them"));
            continue;
        }
        options.set(spec, option, name.span(), value, diagnostics);
    }
    check_required(requirement, &given, diagnostics);
    check_flow(&options, &given, diagnostics);
    options
}

impl Options {
    fn set(&mut self, spec: &Spec, option: &'static str, span: Span, value: Expr, diagnostics: &mut Diagnostics) {
        let setting = match option {
            "provider" => {
                let what = "the name of a credential provider, a string";
                self.provider = values::text(option, what, &limits::PROVIDER_NAME, value, diagnostics);
                return;
            }
            "into" => {
                self.into = values::into(spec, value, diagnostics);
                self.into_is_unusable = self.into.is_none();
                return;
            }
            "client" => {
                self.client = values::code(option, "self.identity", value, diagnostics);
                return;
            }
            "retry_if" => {
                self.retry_if = values::code(option, "is_rejected", value, diagnostics);
                return;
            }
            "crate" => {
                self.krate = values::krate(&value, diagnostics);
                return;
            }
            "scopes" => values::texts(option, &limits::SCOPE, value, diagnostics).map(Value::Texts),
            "resources" => values::texts(option, &limits::RESOURCE, value, diagnostics).map(Value::Texts),
            "audiences" => values::texts(option, &limits::AUDIENCE, value, diagnostics).map(Value::Texts),
            "audience" => values::audience(value, diagnostics).map(Value::OneOrMoreTexts),
            "callback_url" => {
                values::text(option, "a URL, a string", &limits::RETURN_URL, value, diagnostics).map(Value::Text)
            }
            "custom_state" => {
                values::text(option, "a string", &limits::CUSTOM_STATE, value, diagnostics).map(Value::Text)
            }
            "auth_flow" => values::auth_flow(value, diagnostics),
            "signing_algorithm" => values::signing_algorithm(value, diagnostics),
            "on_auth_url" => values::handler(option, value, diagnostics).map(Value::Handler),
            "token_poller" => values::code(option, "Poller::new()", value, diagnostics).map(Value::AsIs),
            "force_authentication" => values::boolean(option, value, diagnostics).map(Value::AsIs),
            "duration_seconds" => values::duration_seconds(value, diagnostics).map(Value::AsIs),
            "custom_parameters" => values::custom_parameters(value, diagnostics).map(Value::Pairs),
            "tags" => values::tags(value, diagnostics).map(Value::Pairs),
            _ => unreachable!("`{option}` is in the table of options"),
        };
        self.settings.extend(setting.map(|value| Setting { option, span, value }));
    }
}

fn check_required(requirement: &Requirement, given: &[(&'static str, Ident)], diagnostics: &mut Diagnostics) {
    let spec = requirement.spec;
    let name = spec.name;
    let mut require = |option: &str, message: String| {
        if spec.takes(option) && given.iter().all(|(given, _)| *given != option) {
            requirement.report(diagnostics, message);
        }
    };
    require("provider", format!("`#[{name}]` needs the name of a credential provider: add `provider = \"…\"`"));
    require(
        "auth_flow",
        format!(
            "`#[{name}]` needs a flow: add `auth_flow = \"M2M\"` for a token of the agent's own, \
             `auth_flow = \"USER_FEDERATION\"` for one that a user consents to, or \
             `auth_flow = \"ON_BEHALF_OF_TOKEN_EXCHANGE\"` for one in exchange for the user's JWT"
        ),
    );
    require(
        "audience",
        format!("`#[{name}]` needs to know who is to accept the token: add `audience = \"https://…\"`"),
    );
}

/// The options that are about a user who consents in a browser.
const ABOUT_CONSENT: [&str; 5] =
    ["on_auth_url", "callback_url", "force_authentication", "token_poller", "custom_state"];

/// Reports what a flow without a user has no use for.
fn check_flow(options: &Options, given: &[(&'static str, Ident)], diagnostics: &mut Diagnostics) {
    let Some(Value::Variant { written: flow, .. }) = options.setting("auth_flow") else {
        return;
    };
    if *flow == values::USER_FEDERATION {
        return;
    }
    for (option, name) in given.iter().filter(|(option, _)| ABOUT_CONSENT.contains(option)) {
        diagnostics.under(
            name,
            format_args!(
                "`{option}` is for `auth_flow = \"{}\"`, in which a user consents; with \"{flow}\" nobody is asked: \
                 leave it out",
                values::USER_FEDERATION
            ),
        );
    }
}

/// The option that `name` stands for, even if it is spelled wrong: then its value counts as given.
fn option_named(spec: &Spec, name: &Ident, is_value: bool, diagnostics: &mut Diagnostics) -> Option<&'static str> {
    let spelling = name.unraw().to_string();
    if let Some(option) = spec.options.iter().find(|option| **option == spelling) {
        return Some(option);
    }
    let known = format!("`#[{}]` takes {}", spec.name, list(spec.options.iter().copied()));
    let translated = spec.translate(&spelling);
    let owners = spec.siblings_with(&spelling);
    if !owners.is_empty() && translated.is_none() {
        let owners: Vec<String> = owners.iter().map(|owner| format!("#[{}]", owner.name)).collect();
        let owners = list(owners.iter().map(String::as_str));
        diagnostics.under(name, format_args!("`{spelling}` belongs to {owners}; {known}"));
        return None;
    }
    if let Some(origin) = catalog::from_elsewhere(&spelling).filter(|_| translated.is_none()) {
        diagnostics.under(name, format_args!("there is no option `{spelling}`: {origin}; {known}"));
        return None;
    }
    let meant = translated.or_else(|| closest(&spelling, spec.options.iter().copied()));
    let first = spec.options[0];
    if meant.is_none() && is_value && first != "into" {
        diagnostics.under(name, format_args!("there is no option `{spelling}`: write `{first} = \"{spelling}\"`"));
        return Some(first);
    }
    let hint = meant.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
    diagnostics.under(name, format_args!("there is no option `{spelling}`: {hint}{known}"));
    meant
}
