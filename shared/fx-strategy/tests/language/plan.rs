use crate::plan_of;
use fx_strategy::limits::{HISTORY_MAX, LABEL_BYTES_MAX, LABELS_MAX, LOOK_BACK_MAX, NODES_MAX, RULES_MAX};
use fx_strategy::{
    Action, Binary, CellId, Direction, Entry, Exits, Expiry, LabelId, Level, Literal, Node, NodeId,
    PLAN_VERSION, Plan, PlanError, Portion, PositionField, Recording, Rule, Size, Ticket, Type, Unary,
    Window,
};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};

fn sample() -> Plan {
    plan_of(
        "u, m, l = bollinger(data.close, 20, 2)\nrecord(\"u\", u)\nif data.close > u and position.units == 0:\n    \
         return buy(risk_percent=1, stop_loss=pips(20), stop=u, limit=u + 0.001, expires=position.bars + 3, label=\"break\")\n\
         if data.close[-2] < l:\n    \
         return [close(), target(units=-5), cancel(label=\"break\"), order(units=-7, trail=pips(9), trailing=distance(0.01), \
         expires=\"2024-03-08\", label=\"ride\", reduce_only=True), close_partial(percent=50), modify(label=\"ride\", price=m)]",
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
    let plan = Plan { nodes, ..Plan::default() };
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
        "is a window over position, account or a cell"
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
        ..Plan::default()
    };
    let unsized_risk = Action::Enter {
        direction: Direction::Long,
        size: Size::RiskPercent(number),
        ticket: Ticket::default(),
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
        recordings: names.iter().map(|name| Recording { name: (*name).to_owned(), value }).collect(),
        ..Plan::default()
    };
    assert!(record(&["a", "b"], number).validate().is_ok());
    for plan in [record(&[""], number), record(&["a", "a"], number), record(&["a"], condition)] {
        assert!(matches!(plan.validate(), Err(PlanError::Recording { .. })), "{plan:?}");
    }
}

#[test]
fn an_unsound_cell_is_refused() {
    let cell = |cell, initial| Node::Cell { cell: CellId(cell), initial };
    let zero = cell(0, Literal::Number(0.0));
    let plan = |nodes: Vec<Node>, cells: &[u32]| {
        let cells = cells.iter().map(|node| NodeId(*node)).collect();
        Plan::from_bytes(&Plan { nodes, cells, ..Plan::default() }.to_bytes()).map(drop)
    };
    assert_eq!(plan(vec![zero], &[0]), Ok(()));
    let unsound = [
        plan(vec![zero], &[]),
        plan(vec![zero], &[1]),
        plan(vec![Node::Number(1.0)], &[0]),
        plan(vec![zero, Node::Condition(true)], &[1]),
        plan(vec![zero, cell(0, Literal::Number(1.0))], &[0]),
    ];
    for found in unsound {
        assert!(matches!(found, Err(PlanError::Cell { cell: 0, .. })), "{found:?}");
    }
    let nodes = (0..65).map(|place| cell(place, Literal::Condition(true))).collect();
    let many: Vec<u32> = (0..65).collect();
    assert!(matches!(plan(nodes, &many), Err(PlanError::Limit { what: "cells", .. })));
    assert_eq!(fault(vec![cell(0, Literal::Number(f64::NAN))]), "is a constant that is not finite");
}

/// What is wrong with a plan of one rule, `action`, and these labels: the bytes are read, as from elsewhere.
fn action_fault(action: Action, labels: &[&str]) -> Result<(), PlanError> {
    let nodes = vec![Node::Condition(true), Node::Number(1.0)];
    let rules = vec![Rule { guard: NodeId(0), actions: vec![action] }];
    let labels = labels.iter().map(|&label| label.to_owned()).collect();
    Plan::from_bytes(&Plan { nodes, rules, labels, ..Plan::default() }.to_bytes()).map(drop)
}

#[test]
fn an_unsound_order_is_refused() {
    let (condition, number) = (NodeId(0), NodeId(1));
    let order = |ticket| Action::Order { units: number, reduce_only: false, ticket };
    let entered = |entry| order(Ticket { entry, ..Ticket::default() });
    let leaving = |exits| order(Ticket { exits, ..Ticket::default() });
    let modified = |price, exits| Action::Modify { label: None, price, exits };
    let (price, pips) = (Level::Price(number), Level::Pips(number));
    let trailing = |level| Exits { trailing: Some(level), ..Exits::default() };
    let fault = |action| match action_fault(action, &[]) {
        Err(PlanError::Rule { rule: 0, fault }) => fault,
        other => panic!("{action:?}: {other:?}"),
    };
    for action in [entered(Entry::Trail(price)), leaving(trailing(price)), modified(None, trailing(price))] {
        assert_eq!(fault(action), "trails at a price instead of a distance");
    }
    assert_eq!(fault(modified(None, Exits::default())), "modifies nothing");
    let wrong = Level::Pips(condition);
    for action in [
        entered(Entry::StopLimit { stop: pips, limit: wrong }),
        leaving(Exits { take_profit: Some(wrong), ..Exits::default() }),
        order(Ticket { expiry: Expiry::Bars(condition), ..Ticket::default() }),
        Action::Order { units: NodeId(2), reduce_only: true, ticket: Ticket::default() },
        Action::ClosePartial(Portion::Lots(condition)),
        modified(Some(wrong), Exits::default()),
    ] {
        assert_eq!(fault(action), "has an argument that is not a number");
    }
    for action in
        [entered(Entry::Trail(pips)), leaving(trailing(pips)), modified(Some(price), Exits::default())]
    {
        assert_eq!(action_fault(action, &[]), Ok(()));
    }
}

#[test]
fn an_unsound_label_is_refused() {
    let label = |number| Some(LabelId(number));
    let named = |label| {
        let ticket = Ticket { label, ..Ticket::default() };
        let price = Some(Level::Price(NodeId(1)));
        [
            Action::Order { units: NodeId(1), reduce_only: false, ticket },
            Action::Enter { direction: Direction::Short, size: Size::Lots(NodeId(1)), ticket },
            Action::Cancel { label },
            Action::Modify { label, price, exits: Exits::default() },
        ]
    };
    for action in named(label(2)) {
        let fault = "names a label that the plan does not have";
        assert_eq!(action_fault(action, &["a", "b"]), Err(PlanError::Rule { rule: 0, fault }));
    }
    for action in named(label(1)).into_iter().chain(named(None)) {
        assert_eq!(action_fault(action, &["a", "b"]), Ok(()));
    }
    let long = "x".repeat(LABEL_BYTES_MAX + 1);
    for (labels, fault) in [
        (["a", ""], "is empty or too long"),
        (["a", &long], "is empty or too long"),
        (["a", "a"], "is there twice"),
    ] {
        assert_eq!(action_fault(Action::Close, &labels), Err(PlanError::Label { label: 1, fault }));
    }
    assert_eq!(action_fault(Action::Close, &["a", &long[1..]]), Ok(()));
    let many: Vec<String> = (0..=LABELS_MAX).map(|label| label.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(action_fault(Action::Close, &many[1..]), Ok(()));
    assert!(matches!(action_fault(Action::Close, &many), Err(PlanError::Limit { what: "labels", .. })));
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn the_limits_of_a_plan_hold() {
    let numbers = |count: usize| (0..count).map(|x| Node::Number(x as f64)).collect::<Vec<_>>();
    let plan = |nodes, rules| Plan { nodes, rules, ..Plan::default() };
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

/// Nodes that [`actions`] name: two numbers behind a condition.
fn number() -> impl Strategy<Value = NodeId> {
    prop_oneof![Just(NodeId(1)), Just(NodeId(2))]
}

fn distance() -> impl Strategy<Value = Level> {
    prop_oneof![number().prop_map(Level::Pips), number().prop_map(Level::Distance)]
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![number().prop_map(Level::Price), distance()]
}

fn exits() -> impl Strategy<Value = Exits> {
    (prop::option::of(level()), prop::option::of(level()), prop::option::of(distance()))
        .prop_map(|(stop_loss, take_profit, trailing)| Exits { stop_loss, take_profit, trailing })
}

fn tickets() -> impl Strategy<Value = Ticket> {
    let entry = prop_oneof![
        Just(Entry::Market),
        level().prop_map(Entry::Limit),
        level().prop_map(Entry::Stop),
        (level(), level()).prop_map(|(stop, limit)| Entry::StopLimit { stop, limit }),
        level().prop_map(Entry::Touch),
        distance().prop_map(Entry::Trail),
    ];
    let expiry = prop_oneof![
        Just(Expiry::Never),
        Just(Expiry::Day),
        Just(Expiry::ImmediateOrCancel),
        Just(Expiry::FillOrKill),
        number().prop_map(Expiry::Bars),
        any::<i64>().prop_map(Expiry::Until),
    ];
    (entry, exits(), expiry, labels()).prop_map(|(entry, exits, expiry, label)| Ticket {
        entry,
        exits,
        expiry,
        label,
    })
}

fn labels() -> impl Strategy<Value = Option<LabelId>> {
    prop::option::of((0_u16..3).prop_map(LabelId))
}

/// Every action, each argument given and left out, over three nodes and three labels.
fn actions() -> impl Strategy<Value = Action> {
    let direction = prop_oneof![Just(Direction::Long), Just(Direction::Short)];
    let size = prop_oneof![
        number().prop_map(Size::Units),
        number().prop_map(Size::Lots),
        number().prop_map(Size::RiskPercent),
        number().prop_map(Size::EquityPercent),
    ];
    let portion = prop_oneof![
        number().prop_map(Portion::Units),
        number().prop_map(Portion::Lots),
        number().prop_map(Portion::Percent),
    ];
    prop_oneof![
        (direction, size, tickets()).prop_map(|(direction, size, ticket)| Action::Enter {
            direction,
            size,
            ticket
        }),
        (number(), any::<bool>(), tickets()).prop_map(|(units, reduce_only, ticket)| Action::Order {
            units,
            reduce_only,
            ticket
        }),
        number().prop_map(|units| Action::Target { units }),
        Just(Action::Close),
        portion.prop_map(Action::ClosePartial),
        labels().prop_map(|label| Action::Cancel { label }),
        (labels(), prop::option::of(level()), exits()).prop_map(|(label, price, exits)| Action::Modify {
            label,
            price,
            exits
        }),
    ]
}

proptest! {
    #[test]
    fn every_decision_survives_its_bytes(actions in prop::collection::vec(actions(), 1..6)) {
        let plan = Plan {
            nodes: vec![Node::Condition(true), Node::Number(1.5), Node::Volume],
            labels: ["a", "b", "c"].map(str::to_owned).to_vec(),
            rules: vec![Rule { guard: NodeId(0), actions: actions.clone() }],
            ..Plan::default()
        };
        // Two kinds of action are only sound with an argument that may be missing here.
        let sound = actions.iter().all(|action| match action {
            Action::Enter { size: Size::RiskPercent(_), ticket, .. } => ticket.exits.stop_loss.is_some(),
            Action::Modify { price, exits, .. } => price.is_some() || *exits != Exits::default(),
            _ => true,
        });
        match Plan::from_bytes(&plan.to_bytes()) {
            Ok(back) => {
                assert!(sound);
                assert_eq!(back.hash(), plan.hash());
                assert_eq!(back, plan);
            }
            Err(error) => assert!(!sound, "{error}"),
        }
        let used: usize = actions.iter().map(|action| action.nodes().count()).sum();
        let shown = format!("{actions:?}").matches("NodeId(").count();
        assert_eq!(used, shown, "`nodes` of an action names each of its nodes");
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let versioned = [PLAN_VERSION.to_le_bytes().to_vec(), bytes.clone()].concat();
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
