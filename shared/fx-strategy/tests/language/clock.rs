//! The clock: dates and sessions.

use crate::{plan_of, refused, strategy, words};

#[test]
fn dates_are_numbers_and_sessions_are_conditions() {
    let plan = plan_of(
        "record(\"month\", data.time.month)\nif data.time.in_session(\"new_york\") and data.time.day <= 7:\n    \
         return target(units=data.time.year)",
    );
    assert_eq!(words(&plan), "And(in new_york, Le(day, 7)) => target year\nmonth = month");
    assert_eq!(plan.warm_up_bars(), 0);
    let twice = "here = data.time.in_session(\"tokyo\")\nif here and not data.time.in_session(\"tokyo\")[-2]:\n    return close()";
    let plan = plan_of(twice);
    assert_eq!(words(&plan), "And(in tokyo, Not(in tokyo[-2])) => close");
    assert_eq!((plan.nodes.len(), plan.warm_up_bars()), (4, 1));
}

#[test]
fn a_session_that_is_none_is_answered_with_the_one_that_was_meant() {
    for (body, wanted) in [
        ("x = data.time.in_session(\"londn\")", "did you mean `london`?"),
        ("x = data.time.in_session(\"London\")", "did you mean `london`?"),
        ("x = data.time.in_session(\"New York\")", "did you mean `new_york`?"),
        ("x = data.time.in_session(\"frankfurt\")", "expected one of sydney tokyo london new_york"),
        ("x = data.time.in_session(\"frankfurt\")", "write `data.time.in_session(\"london\")`"),
        ("x = data.time.in_session()", "`in_session` takes one argument"),
        ("x = data.time.in_session(data.close)", "`in_session` takes a constant text"),
        ("x = data.time.in_session", "call it: `data.time.in_session(\"london\")`"),
        ("x = data.time.in_session(\"london\") + 1", "a number is needed here"),
        ("x = data.in_session(\"london\")", "has no method `in_session`"),
        ("x = data.time.mouth", "did you mean `month`?"),
    ] {
        let answer = refused(&strategy(body)).to_string();
        assert!(answer.contains(wanted), "{body}: {answer}");
    }
}
