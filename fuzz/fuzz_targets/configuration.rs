//! A whole configuration file: whatever stands in it, the answer is a plan or a list of errors.

#![no_main]

use std::path::Path;

use hookcast::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let variable = |_: &str| Ok("any value".to_owned());
    if let Err(errors) = Config::parse("hookcast.yaml", text, Path::new("/nowhere"), &variable) {
        assert!(!errors.to_string().is_empty());
    }
});
