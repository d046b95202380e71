//! What somebody who mistyped a name may have meant.

/// The candidate that `name` is the beginning of, or a slip of the fingers away from.
pub(crate) fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let begun: Vec<&str> =
        candidates.iter().copied().filter(|candidate| !name.is_empty() && candidate.starts_with(name)).collect();
    if let [candidate] = begun[..] {
        return Some(candidate);
    }
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(name.len()).div_ceil(3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The fewest insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`, ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let substitution = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + substitution);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

/// The names as a sentence has them: "`a`, `b` and `c`".
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    sentence(&quoted)
}

/// The words as a sentence lists them: "a, b and c".
pub(crate) fn sentence(words: &[String]) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: [&str; 5] = ["provider", "into", "client", "retry_if", "crate"];

    #[test]
    fn finds_slips_of_the_fingers() {
        for (slip, meant) in [
            ("provder", "provider"),
            ("porvider", "provider"),
            ("Provider", "provider"),
            ("providers", "provider"),
            ("int", "into"),
            ("in_to", "into"),
            ("retryif", "retry_if"),
            ("retry", "retry_if"),
            ("p", "provider"),
        ] {
            assert_eq!(closest(slip, OPTIONS), Some(meant), "{slip}");
        }
    }

    #[test]
    fn guesses_nothing_from_another_word() {
        for word in ["x", "c", "name", "timeout", "region", ""] {
            assert_eq!(closest(word, OPTIONS), None, "{word}");
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(list([]), "");
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b"]), "`a` and `b`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
