//! What rustdoc says of the function.

use quote::quote;

use super::expand;

#[test]
fn several_attributes_share_one_section_of_documentation() {
    let item = quote! {
        /// # Credentials
        ///
        /// Some.
        ///
        /// # Errors
        ///
        /// Many.
        #[requires_api_key(provider = "b", into = b)]
        async fn f(a: ApiKey, b: ApiKey) -> Result<(), E> {}
    };
    let outer = expand(quote!(provider = "a", into = a), item);
    let mut function: syn::ItemFn = syn::parse2(outer).unwrap();
    function.attrs.retain(|attr| !attr.path().is_ident("requires_api_key"));
    let both = expand(quote!(provider = "b", into = b), quote!(#function)).to_string();
    // The user's, which is not the last section, and ours.
    assert_eq!(both.matches("# Credentials").count(), 2, "{both}");
    assert!(both.find("provider ``a``").unwrap() < both.find("provider ``b``").unwrap(), "{both}");
}
