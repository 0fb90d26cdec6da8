//! Answers that break off.
//!
//! The SDK accepts truncated XML as though it were complete: a page with fewer groups, or a prefix list
//! with fewer entries. The audit would miss the rest and not know it.

use aws_sdk_ec2::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;

/// Makes a truncated answer an error that may pass.
#[derive(Debug)]
pub(super) struct RefuseTruncated;

impl Intercept for RefuseTruncated {
    fn name(&self) -> &'static str {
        "RefuseTruncated"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        // Errors that cannot be read may pass anyway.
        let is_broken = response.status().is_success()
            && response.body().bytes().is_some_and(|body| !is_whole(body));
        if is_broken { Err("the answer breaks off".into()) } else { Ok(()) }
    }
}

/// Whether a document ends with the end of the element that it begins with.
fn is_whole(document: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(document) else { return false };
    let is_name = |c: char| !c.is_whitespace() && !matches!(c, '/' | '>');
    // A tag with a name, after the declaration.
    let root = text.split('<').skip(1).find(|tag| !tag.starts_with(['?', '!']));
    let Some(root) = root else { return false };
    let name = root.split(|c| !is_name(c)).next().unwrap_or_default();
    let end = text.trim_end();
    let is_closed = end
        .strip_suffix('>')
        .and_then(|end| end.strip_suffix(name))
        .is_some_and(|end| end.ends_with("</"));
    is_closed || (root.trim_end().ends_with("/>") && end.ends_with(root.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn a_document_is_whole_where_its_first_element_ends_it() {
        for whole in [
            "<?xml version=\"1.0\"?>\n<Answer xmlns=\"http://ec2.amazonaws.com/\"><set><item>a</item></set></Answer>\n",
            "<Answer><return>true</return></Answer>",
            "<Answer/>",
        ] {
            assert!(is_whole(whole.as_bytes()), "{whole}");
            // Wherever it breaks off.
            for end in 0..whole.trim_end().len() {
                assert!(!is_whole(&whole.as_bytes()[..end]), "{}", &whole[..end]);
            }
        }
        for broken in ["", "null", "<Answer></Other>", "<Answer><set/>", "<Answer><set></Answer2>"]
        {
            assert!(!is_whole(broken.as_bytes()), "{broken}");
        }
    }
}
