use crate::plan_of;
use fx_strategy::limits::{HISTORY_MAX, LOOK_BACK_MAX, NODES_MAX, RULES_MAX};
use fx_strategy::{
    Action, Binary, Direction, Node, NodeId, Plan, PlanError, PositionField, Recording, Rule, Size, Type,
    Unary, Window,
};
use proptest::prelude::{any, prop, proptest};

fn sample() -> Plan {
    plan_of(
        "u, m, l = bollinger(data.close, 20, 2)\nrecord(\"u\", u)\nif data.close > u and position.units == 0:\n    \
         return buy(risk_percent=1, stop_loss=pips(20))\nif data.close[-2] < l:\n    return [close(), target(units=-5)]",
    )
}

#[test]
fn bytes_give_the_plan_back_and_the_hash_is_theirs() {
    let plan = sample();
    let bytes = plan.to_bytes();
    let back = Plan::from_bytes(&bytes).unwrap();
    assert_eq!(back, plan);
    assert_eq!(back.hash(), plan.hash());
    assert_eq!(bytes, back.to_bytes());
}

#[test]
fn every_type_agrees_with_the_list_of_types() {
    let plan = sample();
    for (place, expected) in plan.types().into_iter().enumerate() {
        assert_eq!(plan.node_type(NodeId(u32::try_from(place).unwrap())), expected);
    }
    assert_eq!(plan.node_type(plan.rules[0].guard), Type::Condition);
}

#[test]
fn other_versions_and_other_lengths_are_refused() {
    let bytes = sample().to_bytes();
    assert_eq!(Plan::from_bytes(&[]), Err(PlanError::Length));
    assert_eq!(Plan::from_bytes(&[9, 0, 0, 0, 0]), Err(PlanError::Version { found: 9 }));
    assert_eq!(Plan::from_bytes(&[bytes.clone(), vec![0]].concat()), Err(PlanError::Length));
    assert!(Plan::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(matches!(Plan::from_bytes(&vec![1; 2 << 20]), Err(PlanError::Limit { what: "bytes", .. })));
}

fn fault(nodes: Vec<Node>) -> &'static str {
    let plan = Plan { nodes, rules: Vec::new(), recordings: Vec::new() };
    match Plan::from_bytes(&plan.to_bytes()) {
        Err(PlanError::Node { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unsound_node_is_refused() {
    let x = NodeId(0);
    let number = Node::Number(1.0);
    assert_eq!(fault(vec![Node::Unary { op: Unary::Abs, x }]), "reads a node that does not come before it");
    assert_eq!(fault(vec![Node::Number(f64::NAN)]), "is a constant that is not finite");
    assert_eq!(fault(vec![number, Node::Unary { op: Unary::Not, x }]), "reads an operand of a wrong type");
    assert_eq!(
        fault(vec![number, Node::Binary { op: Binary::And, a: x, b: x }]),
        "reads an operand of a wrong type"
    );
    let select = Node::Select { condition: x, then: x, otherwise: NodeId(1) };
    assert_eq!(fault(vec![Node::Condition(true), number, select]), "reads an operand of a wrong type");
    for bars in [0, LOOK_BACK_MAX + 1] {
        assert_eq!(fault(vec![number, Node::Lag { x, bars }]), "looks back too far or not at all");
    }
    let window = Node::Window { kind: Window::Sma, x, bars: 3 };
    assert_eq!(
        fault(vec![Node::Position(PositionField::Units), window]),
        "is a window over position or account"
    );
    assert_eq!(fault(vec![number, number]), "is a node twice");
}

#[test]
fn an_unsound_rule_or_recording_is_refused() {
    let nodes = vec![Node::Number(1.0), Node::Condition(true)];
    let (number, condition) = (NodeId(0), NodeId(1));
    let rule = |guard, actions| Plan {
        nodes: nodes.clone(),
        rules: vec![Rule { guard, actions }],
        recordings: Vec::new(),
    };
    let unsized_risk = Action::Enter {
        direction: Direction::Long,
        size: Size::RiskPercent(number),
        stop_loss: None,
        take_profit: None,
    };
    for plan in [
        rule(number, Vec::new()),
        rule(NodeId(7), Vec::new()),
        rule(condition, vec![Action::Target { units: condition }]),
        rule(condition, vec![unsized_risk]),
    ] {
        assert!(matches!(plan.validate(), Err(PlanError::Rule { rule: 0, .. })), "{plan:?}");
    }
    assert!(rule(condition, vec![Action::Target { units: number }]).validate().is_ok());
    let record = |names: &[&str], value| Plan {
        nodes: nodes.clone(),
        rules: Vec::new(),
        recordings: names.iter().map(|name| Recording { name: (*name).to_owned(), value }).collect(),
    };
    assert!(record(&["a", "b"], number).validate().is_ok());
    for plan in [record(&[""], number), record(&["a", "a"], number), record(&["a"], condition)] {
        assert!(matches!(plan.validate(), Err(PlanError::Recording { .. })), "{plan:?}");
    }
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn the_limits_of_a_plan_hold() {
    let numbers = |count: usize| (0..count).map(|x| Node::Number(x as f64)).collect::<Vec<_>>();
    let plan = |nodes, rules| Plan { nodes, rules, recordings: Vec::new() };
    assert!(plan(numbers(NODES_MAX), Vec::new()).validate().is_ok());
    assert!(matches!(
        plan(numbers(NODES_MAX + 1), Vec::new()).validate(),
        Err(PlanError::Limit { what: "nodes", .. })
    ));
    let rules = vec![Rule { guard: NodeId(0), actions: Vec::new() }; RULES_MAX + 1];
    assert!(matches!(
        plan(vec![Node::Condition(true)], rules).validate(),
        Err(PlanError::Limit { what: "rules", .. })
    ));
    let lags = u32::try_from(HISTORY_MAX / u64::from(LOOK_BACK_MAX)).unwrap() + 1;
    let mut nodes = vec![Node::Volume];
    nodes.extend((0..lags).map(|x| Node::Lag { x: NodeId(x), bars: LOOK_BACK_MAX }));
    assert!(matches!(
        plan(nodes, Vec::new()).validate(),
        Err(PlanError::Limit { what: "bars of history", .. })
    ));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let versioned = [vec![1, 0], bytes.clone()].concat();
        for bytes in [bytes, versioned] {
            if let Ok(plan) = Plan::from_bytes(&bytes) {
                assert_eq!(Plan::from_bytes(&plan.to_bytes()), Ok(plan));
            }
        }
    }

    #[test]
    fn mutated_bytes_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = sample().to_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(plan) = Plan::from_bytes(&bytes) {
            assert!(plan.validate().is_ok());
            assert!(plan.warm_up_bars() <= HISTORY_MAX);
        }
    }
}
