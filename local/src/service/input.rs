//! The members of a request, taken out one by one and checked on the way.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::error::ServiceError;
use crate::limits::{self, Text};
use crate::store::Tags;

/// The members of one request, or of one structure in it. A member that no operation asks for is ignored, as AWS does.
pub(crate) struct Input {
    members: Map<String, Value>,
    /// Where in the request the structure stands, for error texts; empty for the request itself.
    path: String,
}

impl Input {
    /// Reads a JSON body; an empty one has no members.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        if body.is_empty() {
            return Ok(Self::of(Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self::of(members)),
            Ok(other) => Err(ServiceError::unreadable(format!(
                "the request body must be a JSON object, but is {}",
                kind(&other)
            ))),
            // serde_json's text could quote a secret; the place of the mistake cannot.
            Err(error) => Err(ServiceError::unreadable(format!(
                "the request body is not JSON: mistake at line {}, column {}",
                error.line(),
                error.column()
            ))),
        }
    }

    pub(crate) fn of(members: Map<String, Value>) -> Self {
        Self { members, path: String::new() }
    }

    /// A member's name as error texts give it.
    fn at(&self, member: &str) -> String {
        if self.path.is_empty() { member.to_owned() } else { format!("{}.{member}", self.path) }
    }

    /// A refusal of what a member holds.
    pub(crate) fn invalid(&self, member: &str, problem: impl fmt::Display) -> ServiceError {
        ServiceError::invalid_member(&self.at(member), problem)
    }

    pub(crate) fn required(&self, member: &str) -> ServiceError {
        self.invalid(member, "is required")
    }

    fn mistyped(&self, member: &str, expected: &str, found: &Value) -> ServiceError {
        mistyped(&self.at(member), expected, found)
    }

    /// Puts a member that came with the path or the query.
    pub(crate) fn insert(&mut self, member: &str, value: Value) {
        self.members.insert(member.to_owned(), value);
    }

    /// A text, before any check.
    pub(crate) fn peek(&self, member: &str) -> Option<&str> {
        self.members.get(member)?.as_str()
    }

    /// A text in a structure, before any check.
    pub(crate) fn peek_in(&self, structure: &str, member: &str) -> Option<&str> {
        self.members.get(structure)?.get(member)?.as_str()
    }

    pub(crate) fn text(&mut self, member: &str, rule: &Text) -> Result<String, ServiceError> {
        self.optional_text(member, rule)?.ok_or_else(|| self.required(member))
    }

    pub(crate) fn optional_text(&mut self, member: &str, rule: &Text) -> Result<Option<String>, ServiceError> {
        let Some(value) = self.take(member) else { return Ok(None) };
        let Value::String(text) = value else { return Err(self.mistyped(member, "a string", &value)) };
        rule.check(&self.at(member), &text)?;
        Ok(Some(text))
    }

    pub(crate) fn secret(&mut self, member: &str, rule: &Text) -> Result<Zeroizing<String>, ServiceError> {
        self.text(member, rule).map(Zeroizing::new)
    }

    /// One of the texts that an enumeration of the model has, as what it stands for.
    pub(crate) fn choice<T: Copy>(&mut self, member: &str, choices: &[(&str, T)]) -> Result<T, ServiceError> {
        self.optional_choice(member, choices)?.ok_or_else(|| self.required(member))
    }

    pub(crate) fn optional_choice<T: Copy>(
        &mut self,
        member: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, ServiceError> {
        let Some(text) = self.optional_text(member, &limits::ANY)? else { return Ok(None) };
        let chosen = choices.iter().find(|(name, _)| *name == text);
        let (_, value) = chosen.ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.invalid(member, format!("{} is none of {}", limits::quoted(&text), names.join(", ")))
        })?;
        Ok(Some(*value))
    }

    /// The members of a structure.
    pub(crate) fn structure(&mut self, member: &str) -> Result<Self, ServiceError> {
        self.optional_structure(member)?.ok_or_else(|| self.required(member))
    }

    pub(crate) fn optional_structure(&mut self, member: &str) -> Result<Option<Self>, ServiceError> {
        let Some(value) = self.take(member) else { return Ok(None) };
        let Value::Object(members) = value else { return Err(self.mistyped(member, "an object", &value)) };
        Ok(Some(Self { members, path: self.at(member) }))
    }

    pub(crate) fn optional_structures(&mut self, member: &str) -> Result<Option<Vec<Self>>, ServiceError> {
        let Some(value) = self.take(member) else { return Ok(None) };
        let Value::Array(items) = value else { return Err(self.mistyped(member, "a list", &value)) };
        let path = self.at(member);
        let check = |(index, item): (usize, Value)| {
            let path = format!("{path}[{index}]");
            let Value::Object(members) = item else { return Err(mistyped(&path, "an object", &item)) };
            Ok(Self { members, path })
        };
        items.into_iter().enumerate().map(check).collect::<Result<_, _>>().map(Some)
    }

    /// The one member that is set, of a structure that is a union of `variants`.
    pub(crate) fn variant<'v>(&self, variants: &[&'v str]) -> Result<&'v str, ServiceError> {
        let set: Vec<&str> = variants.iter().copied().filter(|variant| self.has(variant)).collect();
        if let [variant] = set[..] {
            return Ok(variant);
        }
        let found = if set.is_empty() { "none".to_owned() } else { set.join(" and ") };
        let problem = format!("must have exactly one of {}, but has {found}", variants.join(", "));
        Err(ServiceError::invalid_member(&self.path, problem))
    }

    pub(crate) fn optional_integer(
        &mut self,
        member: &str,
        range: &RangeInclusive<u32>,
    ) -> Result<Option<u32>, ServiceError> {
        let Some(value) = self.take(member) else { return Ok(None) };
        let Value::Number(number) = &value else { return Err(self.mistyped(member, "an integer", &value)) };
        number
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| range.contains(number))
            .map(Some)
            .ok_or_else(|| {
                let (least, most) = (range.start(), range.end());
                self.invalid(member, format!("{number} is not an integer from {least} to {most}"))
            })
    }

    pub(crate) fn optional_list(&mut self, member: &str, rule: &Text) -> Result<Option<Vec<String>>, ServiceError> {
        let Some(value) = self.take(member) else { return Ok(None) };
        let Value::Array(items) = value else { return Err(self.mistyped(member, "a list", &value)) };
        let path = self.at(member);
        let check = |(index, item): (usize, Value)| {
            let member = format!("{path}[{index}]");
            let Value::String(text) = item else { return Err(mistyped(&member, "a string", &item)) };
            rule.check(&member, &text).map(|()| text)
        };
        items.into_iter().enumerate().map(check).collect::<Result<_, _>>().map(Some)
    }

    pub(crate) fn list(&mut self, member: &str, rule: &Text) -> Result<Vec<String>, ServiceError> {
        self.optional_list(member, rule)?.ok_or_else(|| self.required(member))
    }

    pub(crate) fn optional_boolean(&mut self, member: &str) -> Result<Option<bool>, ServiceError> {
        match self.take(member) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(self.mistyped(member, "a boolean", &other)),
        }
    }

    /// A map of texts, which may be secrets.
    pub(crate) fn optional_map<T: From<String>>(
        &mut self,
        member: &str,
        keys: &Text,
        values: &Text,
    ) -> Result<Option<BTreeMap<String, T>>, ServiceError> {
        let Some(value) = self.take(member) else { return Ok(None) };
        let Value::Object(entries) = value else { return Err(self.mistyped(member, "an object", &value)) };
        let path = self.at(member);
        let check = |(key, value): (String, Value)| {
            keys.check(&path, &key)?;
            let member = format!("{path}[{key:?}]");
            let Value::String(text) = value else { return Err(mistyped(&member, "a string", &value)) };
            values.check(&member, &text).map(|()| (key, T::from(text)))
        };
        entries.into_iter().map(check).collect::<Result<_, _>>().map(Some)
    }

    /// # Errors
    /// If a list or a map has too few or too many entries.
    pub(crate) fn check_size(
        &self,
        member: &str,
        entries: usize,
        sizes: &RangeInclusive<usize>,
    ) -> Result<(), ServiceError> {
        let counted = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
        if entries < *sizes.start() {
            return Err(self.invalid(member, format!("has {counted}, at least {} required", sizes.start())));
        }
        if entries > *sizes.end() {
            return Err(self.invalid(member, format!("has {counted}, at most {} allowed", sizes.end())));
        }
        Ok(())
    }

    pub(crate) fn optional_tags(&mut self) -> Result<Option<Tags>, ServiceError> {
        let tags: Option<Tags> = self.optional_map("tags", &limits::TAG_KEY, &limits::TAG_VALUE)?;
        if let Some(tags) = &tags {
            self.check_size("tags", tags.len(), &(0..=limits::TAGS_PER_RESOURCE))?;
            tags.keys().try_for_each(|key| check_tag_key("tags", key))?;
        }
        Ok(tags)
    }

    pub(crate) fn tags(&mut self) -> Result<Tags, ServiceError> {
        self.optional_tags()?.ok_or_else(|| self.required("tags"))
    }

    pub(crate) fn tag_keys(&mut self) -> Result<Vec<String>, ServiceError> {
        let keys = self.optional_list("tagKeys", &limits::TAG_KEY)?.ok_or_else(|| self.required("tagKeys"))?;
        self.check_size("tagKeys", keys.len(), &(0..=limits::TAG_KEYS_PER_UNTAG))?;
        keys.iter().try_for_each(|key| check_tag_key("tagKeys", key))?;
        Ok(keys)
    }

    /// Whether a member is there at all, of whatever type.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.members.get(member).is_some_and(|value| !value.is_null())
    }

    /// JSON's `null` is an absent member, as in every AWS service.
    fn take(&mut self, member: &str) -> Option<Value> {
        self.members.remove(member).filter(|value| !value.is_null())
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.members.keys()).finish()
    }
}

fn check_tag_key(member: &str, key: &str) -> Result<(), ServiceError> {
    limits::TAG_KEY.check(member, key)?;
    let reserved = limits::RESERVED_TAG_PREFIX;
    if key.get(..reserved.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(reserved)) {
        return Err(ServiceError::invalid_member(
            member,
            format!("{key:?} begins with {reserved:?}, which is reserved for AWS"),
        ));
    }
    Ok(())
}

fn mistyped(member: &str, expected: &str, found: &Value) -> ServiceError {
    ServiceError::invalid_member(member, format!("must be {expected}, but is {}", kind(found)))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn input(value: &Value) -> Input {
        Input::parse(value.to_string().as_bytes()).unwrap()
    }

    fn message<T: fmt::Debug>(result: Result<T, ServiceError>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.code(), "ValidationException");
        error.message().to_owned()
    }

    #[test]
    fn a_body_that_is_no_object_is_unreadable() {
        assert_eq!(message(Input::parse(b"[1]")), "the request body must be a JSON object, but is a list");
        let error = message(Input::parse(b"{\"apiKey\": \"sk-very-secret\",}"));
        assert_eq!(error, "the request body is not JSON: mistake at line 1, column 29");
        assert!(Input::parse(b"").is_ok());
    }

    #[test]
    fn absent_null_and_mistyped_members() {
        let mut members = input(&json!({ "none": null, "number": 1 }));
        assert_eq!(message(members.text("name", &limits::PROVIDER_NAME)), "name: is required");
        assert_eq!(members.optional_text("none", &limits::PROVIDER_NAME), Ok(None));
        assert_eq!(
            message(members.text("number", &limits::PROVIDER_NAME)),
            "number: must be a string, but is a number"
        );
    }

    #[test]
    fn integers_keep_their_range() {
        for (given, shown) in [(json!(0), "0"), (json!(101), "101"), (json!(-1), "-1"), (json!(1.5), "1.5")] {
            let error = message(input(&json!({ "maxResults": given })).optional_integer("maxResults", &(1..=100)));
            assert_eq!(error, format!("maxResults: {shown} is not an integer from 1 to 100"));
        }
        let mut members = input(&json!({ "maxResults": 100 }));
        assert_eq!(members.optional_integer("maxResults", &(1..=100)), Ok(Some(100)));
    }

    #[test]
    fn list_errors_name_the_item() {
        let mut members = input(&json!({ "urls": ["https://ok", "bad url"] }));
        let error = message(members.optional_list("urls", &limits::RETURN_URL));
        assert!(error.starts_with("urls[1]: \"bad url\""), "{error}");
    }

    #[test]
    fn tags_are_bounded_and_their_reserved_prefix_refused() {
        let too_many: Map<String, Value> = (0..51).map(|n| (format!("k{n}"), json!("v"))).collect();
        assert_eq!(message(input(&json!({ "tags": too_many })).tags()), "tags: has 51 entries, at most 50 allowed");
        let error = message(input(&json!({ "tags": { "Aws:x": "v" } })).tags());
        assert!(error.contains("reserved for AWS"), "{error}");
        let error = message(input(&json!({ "tags": { "k": "<" } })).tags());
        assert!(error.starts_with("tags[\"k\"]: \"<\" holds '<'"), "{error}");
        assert_eq!(message(input(&json!({})).tags()), "tags: is required");
        assert_eq!(message(input(&json!({ "tagKeys": ["aws:x"] })).tag_keys()).matches("reserved").count(), 1);
    }

    #[test]
    fn debug_shows_names_only() {
        assert_eq!(format!("{:?}", input(&json!({ "apiKey": "sk-secret" }))), "{\"apiKey\"}");
    }

    proptest! {
        #[test]
        fn no_body_breaks_the_reader(body in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = Input::parse(&body);
        }
    }
}
