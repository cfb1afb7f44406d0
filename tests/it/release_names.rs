//! Names of clusters and server groups: the table of the grammar, and what is made reads back.

use coalmine::model::release::names::{
    ClusterName, GroupName, MOST_CLUSTER_BYTES, MOST_GROUP_BYTES, NUMBERS,
};
use proptest::prelude::*;

/// Application, stack and detail of a cluster's name, or why it is none.
fn parts(text: &str) -> String {
    match ClusterName::parse(text) {
        Ok(name) => format!(
            "{} / {} / {}",
            name.application(),
            name.stack().unwrap_or("none"),
            name.detail().unwrap_or("none")
        ),
        Err(error) => error.to_string(),
    }
}

/// Cluster and number of a server group's name, or why it is none.
fn group(text: &str) -> String {
    match GroupName::parse(text) {
        Ok(name) => format!("{} number {}", name.cluster(), name.number()),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check(read: fn(&str) -> String, table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(read(text), *expected, "of {text:?}");
    }
}

#[test]
fn a_cluster_has_an_application_a_stack_and_a_detail() {
    check(
        parts,
        &[
            ("search", "search / none / none"),
            ("search-prod", "search / prod / none"),
            ("search-prod-web", "search / prod / web"),
            ("search--canary", "search / none / canary"),
            ("search-prod-web-eu-1", "search / prod / web-eu-1"),
            ("search-prod--x", "search / prod / -x"),
            ("search---x", "search / none / -x"),
            ("a.b_c-1.2-~^", "a.b_c / 1.2 / ~^"),
            ("v001", "v001 / none / none"),
            // Old clusters may hold what nobody may make any more.
            ("search-v001", "search / v001 / none"),
            ("search-prod-d0main", "search / prod / d0main"),
        ],
    );
}

#[test]
fn what_does_not_follow_the_grammar_is_no_name() {
    check(
        parts,
        &[
            (
                "",
                "`` is no cluster name: expected `application[-stack[-detail]]`, found no application",
            ),
            (
                "-prod",
                "`-prod` is no cluster name: expected `application[-stack[-detail]]`, found no application",
            ),
            (
                "search-",
                "`search-` is no cluster name: it ends with `-`; expected a part behind it",
            ),
            (
                "search-prod-web-",
                "`search-prod-web-` is no cluster name: it ends with `-`; expected a part behind it",
            ),
            (
                "sea~rch",
                "`sea~rch` is no cluster name: the application holds `~`; expected letters, digits, `.` and `_`",
            ),
            (
                "search-pr^d",
                "`search-pr^d` is no cluster name: the stack holds `^`; expected letters, digits, `.` and `_`",
            ),
            (
                "search-prod-we/b",
                "`search-prod-we/b` is no cluster name: the detail holds `/`; expected letters, digits, `.`, `_`, `~`, `^` and `-`",
            ),
            (
                "süche",
                "`süche` is no cluster name: the application holds `ü`; expected letters, digits, `.` and `_`",
            ),
        ],
    );
    let long = "a".repeat(256);
    assert!(parts(&long).contains("256 bytes; expected at most 255"));
}

#[test]
fn a_server_group_has_a_number_of_three_to_six_digits_at_its_end() {
    check(
        group,
        &[
            ("search-v001", "search number 1"),
            ("search-prod-web-v999", "search-prod-web number 999"),
            ("search--canary-v000", "search--canary number 0"),
            ("search-v123456", "search number 123456"),
            ("search-vanilla-v007", "search-vanilla number 7"),
            ("search-v001-v002", "search-v001 number 2"),
            ("search-v12-v002", "search-v12 number 2"),
        ],
    );
    for text in [
        "search",
        "search-v12",
        "search-v1234567",
        "search-v12a",
        "search-V001",
        "v001",
        "searchv001",
        "search-v001-web",
        "search-v",
        "search-v٠٠١",
    ] {
        let expected = format!(
            "`{text}` is no server group name: expected `-v` and three to six digits at its end"
        );
        assert_eq!(group(text), expected);
    }
    check(
        group,
        &[
            (
                "-v001",
                "`-v001` is no server group name: expected `application[-stack[-detail]]`, found no application",
            ),
            (
                "search--v001",
                "`search--v001` is no server group name: it ends with `-`; expected a part behind it",
            ),
        ],
    );
}

/// The name of these parts, or why there is none.
fn build(application: &str, stack: Option<&str>, detail: Option<&str>) -> String {
    match ClusterName::of(application, stack, detail) {
        Ok(name) => name.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_empty_stack_before_a_detail_is_kept_and_other_empty_parts_are_left_out() {
    assert_eq!(build("app", None, None), "app");
    assert_eq!(build("app", Some("prod"), None), "app-prod");
    assert_eq!(build("app", None, Some("web")), "app--web");
    assert_eq!(build("app", Some(""), Some("web")), "app--web");
    assert_eq!(build("app", Some(""), Some("")), "app");
    assert_eq!(build("app", Some("prod"), Some("")), "app-prod");
    assert_eq!(build("app", Some("prod"), Some("a-b~c")), "app-prod-a-b~c");
}

#[test]
fn nothing_is_made_that_other_tools_would_read_otherwise() {
    let reserved = [
        ("a-b", None, None, "the application `a-b` holds `-`"),
        ("a", Some("b-c"), None, "the stack `b-c` holds `-`"),
        (
            "a",
            Some("v012"),
            None,
            "`v012` would be read as the number",
        ),
        (
            "a",
            None,
            Some("x-v123456-y"),
            "`v123456` would be read as the number",
        ),
        (
            "a",
            None,
            Some("c0us"),
            "`c0us` would be read as a labelled variable",
        ),
        (
            "a",
            Some("z0a"),
            None,
            "`z0a` would be read as a labelled variable",
        ),
        ("a", None, Some("web-"), "it ends with `-`"),
    ];
    for (application, stack, detail, why) in reserved {
        let told = build(application, stack, detail);
        assert!(told.contains(why), "`{told}` does not say `{why}`");
    }
    // Near misses are names.
    for detail in [
        "v12", "v1234567", "c0", "a0us", "C0us", "c0us.x", "canary", "baseline", "version1",
    ] {
        assert_eq!(
            build("d0main", None, Some(detail)),
            format!("d0main--{detail}")
        );
    }
}

#[test]
fn what_is_made_has_at_most_96_bytes() {
    let longest = "a".repeat(MOST_CLUSTER_BYTES);
    let name = ClusterName::of(&longest, None, None).unwrap();
    assert_eq!(name.group(7).as_str().len(), MOST_GROUP_BYTES);
    assert!(build(&format!("{longest}a"), None, None).contains("92 bytes; expected at most 91"));
    let told = name.with_detail("canary").unwrap_err().to_string();
    assert!(told.contains("99 bytes; expected at most 91"), "{told}");
}

#[test]
fn baseline_and_canary_are_clusters_of_their_own() {
    for (production, canary) in [
        ("search", "search--canary"),
        ("search-prod", "search-prod-canary"),
        ("search-prod-web", "search-prod-web-canary"),
        ("search--web", "search--web-canary"),
    ] {
        let production = ClusterName::parse(production).unwrap();
        assert_eq!(production.with_detail("canary").unwrap().as_str(), canary);
    }
}

/// The number after the existing ones, each given as its name and when it was made.
fn next(existing: &[(&str, i64)]) -> String {
    let groups: Vec<(GroupName, i64)> = existing
        .iter()
        .map(|(name, at)| (GroupName::parse(name).unwrap(), *at))
        .collect();
    let cluster = ClusterName::parse("app").unwrap();
    match cluster.next_group(groups.iter().map(|(name, at)| (name, *at))) {
        Ok(group) => group.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn numbers_follow_the_youngest_and_skip_what_exists() {
    assert_eq!(next(&[]), "app-v000");
    assert_eq!(next(&[("app-v000", 1)]), "app-v001");
    assert_eq!(next(&[("app-v007", 1), ("app-v003", 2)]), "app-v004");
    assert_eq!(next(&[("app-v004", 1), ("app-v003", 2)]), "app-v005");
    assert_eq!(next(&[("app-v999", 1)]), "app-v000");
    assert_eq!(next(&[("app-v000", 1), ("app-v999", 2)]), "app-v001");
    assert_eq!(next(&[("app-v123456", 1)]), "app-v457");
    assert_eq!(next(&[("app-v0008", 1), ("app-v007", 2)]), "app-v009");
    // In the same millisecond.
    assert_eq!(next(&[("app-v002", 1), ("app-v001", 1)]), "app-v003");
    // Others' do not count.
    assert_eq!(
        next(&[("app-prod-v041", 1), ("app--canary-v003", 2)]),
        "app-v000"
    );
}

#[test]
fn a_cluster_whose_numbers_are_all_taken_gets_no_further_group() {
    let cluster = ClusterName::parse("app").unwrap();
    let all: Vec<GroupName> = (0..NUMBERS).map(|number| cluster.group(number)).collect();
    let made = |groups: &[GroupName]| {
        let next = cluster.next_group(groups.iter().zip(0_i64..));
        next.map_or_else(|error| error.to_string(), |name| name.to_string())
    };
    assert_eq!(
        made(&all),
        "all 1000 numbers of the cluster `app` are taken by its server groups"
    );
    let but_one: Vec<GroupName> = all
        .iter()
        .filter(|it| it.number() != 345)
        .cloned()
        .collect();
    assert_eq!(made(&but_one), "app-v345");
}

/// Parts that mostly follow the grammar, with what is reserved among them.
fn part(classes: &'static str) -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        4 => proptest::string::string_regex(classes).unwrap().prop_map(Some),
    ]
}

proptest! {
    #[test]
    fn whatever_is_made_reads_back_as_its_parts(
        application in "[a-d0v._]{0,8}",
        stack in part("[a-d0v._]{0,5}|v[0-9]{2,7}"),
        detail in part("[a-d0v._~^-]{0,12}|[a-z]+-v[0-9]{2,7}"),
        number in 0_u32..2000,
    ) {
        let Ok(name) = ClusterName::of(&application, stack.as_deref(), detail.as_deref()) else {
            return Ok(());
        };
        let filled = |part: &Option<String>| part.clone().filter(|part| !part.is_empty());
        let read = ClusterName::parse(name.as_str()).unwrap();
        prop_assert_eq!(read.application(), application.as_str());
        prop_assert_eq!(read.stack().map(str::to_owned), filled(&stack));
        prop_assert_eq!(read.detail().map(str::to_owned), filled(&detail));
        let group = GroupName::parse(name.group(number).as_str()).unwrap();
        prop_assert_eq!(group.cluster(), read);
        prop_assert_eq!(group.number(), number % NUMBERS);
    }

    #[test]
    fn any_text_that_is_read_is_kept_as_it_was(text in "[a-c0-2v.~ü-]{0,14}") {
        if let Ok(name) = ClusterName::parse(&text) {
            prop_assert_eq!(name.as_str(), text.as_str());
        }
        if let Ok(group) = GroupName::parse(&text) {
            let again = format!("{}-v", group.cluster());
            prop_assert!(text.starts_with(&again));
            prop_assert!(ClusterName::parse(group.cluster().as_str()).is_ok());
        }
    }
}
