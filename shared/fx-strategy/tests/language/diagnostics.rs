use crate::{refused, strategy};

fn answer(source: impl AsRef<str>) -> String {
    refused(source.as_ref()).to_string()
}

/// Compares the whole rendered answer with the stored one.
macro_rules! answers {
    ($($name:ident: $source:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(stringify!($name), answer($source));
            });
        }
    )*};
}

answers! {
    a_syntax_error: "class S(Strategy):\n    def analyze(self, data)\n        return {}\n";
    an_empty_source: "";
    no_analyze: "class S(Strategy):\n    def analyse(self, data):\n        return {}\n";
    no_base: "class S:\n    def analyze(self, data):\n        return {}\n";
    outside_the_language: "import os\nfrom forex import Strategy\n\nclass S(Strategy):\n    @staticmethod\n    def analyze(self, data):\n        \
        while True:\n            pass\n        f = lambda x: x\n        g = [x for x in data.close]\n        print(f\"{f}\")\n        \
        self.count = 1\n        try:\n            pass\n        except ValueError:\n            pass\n        if (n := 1) > 0:\n            \
        pass\n        global q\n        h = data.close[-5:]\n        k(*f)\n        return {}\n";
    a_misspelt_name: strategy("fast = sma(data.close, 10)\nreturn buy(units=fsat)");
    a_misspelt_function: strategy("x = crosses_abov(data.close, 1)\ny = data.clsoe\nz = self.m\nw = position.unit");
    methods_of_values: strategy("x = data.close.rolling(10)\ny = data[\"close\"]\nz = self.helper(1)\nw = data.timeframe(\"4h\")");
    looking_ahead: strategy("a = data.close[0]\nb = data.close[1]\nc = (data.close > 1)[0]\nd = data.close[data.index]");
    types: strategy("if data.close:\n    pass\nx = (data.close > 1) + 1\ny = not data.close\nz = sma(data.close > 1, 5)\nif self.on == True:\n    pass\nw = data + 1");
    maybe_unassigned: strategy("if data.close > 1:\n    x = 1\nreturn target(units=x)");
    two_kinds: strategy("if data.close > 1:\n    x = 1\nelse:\n    x = data.open > 1\nreturn target(units=x)");
    periods: strategy("a = sma(data.close, 0)\nb = sma(data.close, 2.5)\nc = sma(data.close, data.open)\nd = sma(data.close, self.n / 2)\ne = sma(data.close)\nf = sma(data.close, 5, 6)\ng = sma(position.units, 3)");
    sizes: strategy("if data.close > 1:\n    return buy()\nif data.close > 2:\n    return buy(units=1, lots=2)\nif data.close > 3:\n    return buy(risk_percent=1)\nif data.close > 4:\n    return sell(units=-5)\nreturn buy(1000)");
    features: strategy("a = feature(data.close)\nb = feature(\"a/b\")\nc = pattern(\".x\")\nd = feature()\ne = regime(\"4h\")\n\
        f = regime() + 1\ng = regime() == 1\nh = regime() < \"calm\"\ni = 1 if regime() else 0\nj = regime() == regime()\n\
        k = regime() in (\"calm\", \"wild\")\nl = regime() == \" calm\"\nm = regime()[-2]\nn = sma(pattern(\"\"), 2)\no = featre(\"x\")\n\
        p = close(units=1)");
    entries: strategy("a = buy(units=1, limit=data.low, touch=data.low)\nb = sell(units=1, stop=data.low, trail=pips(5))\n\
        c = order(units=1, touch=data.low, trail=pips(5))\nd = buy(units=1, limit=data.low, stop=data.high, touch=data.low)\n\
        e = buy(units=1, trail=20)\nf = buy(units=1, trailing=data.low)\ng = buy(units=1, trail=data.close > 1)\n\
        h = buy(units=1, limit=-1)\ni = buy(units=1, stop=\"1.1\")\nj = buy(units=1, stop_los=pips(1))\nk = buy(units=1, touch=pips(-1))");
    times: strategy("a = buy(units=1, limit=data.low, tif=\"DAY\")\nb = buy(units=1, limit=data.low, tif=5)\n\
        c = buy(units=1, limit=data.low, tif=\"day\", expires=5)\nd = buy(units=1, limit=data.low, expires=0)\n\
        e = buy(units=1, limit=data.low, expires=2.5)\nf = buy(units=1, limit=data.low, expires=\"tomorrow\")\n\
        g = buy(units=1, limit=data.low, expires=pips(3))\nh = buy(units=1, limit=data.low, expires=data.close > 1)\n\
        i = buy(units=1, tif=\"ioc\", expires=\"2024-03-08\")");
    labels: strategy("a = buy(units=1, label=\"\")\nb = cancel(label=5)\nc = modify(label=data.close, price=pips(1))\nd = cancel(\"x\")\ne = cancel(lable=\"x\")");
    orders: strategy("a = order(units=0)\nb = order(limit=data.low)\nc = order(1)\nd = order(units=1, reduce_only=1)\n\
        e = order(units=1, reduce_only=data.close > 1)\nf = order(lots=1)\ng = oder(units=1)\nh = buy(risk_percent=1, limit=data.low, trailing=pips(5))");
    partial_closes: strategy("a = close_partial()\nb = close_partial(units=1, percent=50)\nc = close_partial(percent=0)\n\
        d = close_partial(percent=100.5)\ne = close_partial(50)\nf = close_partial(lots=-1)\ng = close_partail(percent=50)");
    changes: strategy("a = modify()\nb = modify(label=\"x\")\nc = modify(price=None, stop_loss=None)\nd = modify(units=1)\ne = modify(trailing=5)\nmodify(price=data.low)\ncancel()");
    kinds_that_do_not_mix: strategy("a = cancel(label=\"up\" if data.close > 1 else \"down\")\nb = pips(5)\nif data.close > 1:\n    b = distance(0.1)\nc = buy(units=1, stop=b)\nd = pips(5) if data.close > 1 else None");
    forgotten_return: strategy("if data.close > 1:\n    buy(units=1)\ndata.close + 1");
    dicts: strategy("if data.close > 1:\n    return {\"action\": \"byu\", \"units\": 1}\nif data.close > 2:\n    return {\"units\": 1}\nif data.close > 3:\n    return {\"action\": \"buy\", \"size\": 1}\nif data.close > 4:\n    return {\"action\": \"close_partail\", \"percent\": 1}\nreturn {\"action\": \"buy\", \"units\": 1, \"trail\": 1.1}");
    not_a_decision: strategy("return data.close");
    unpacking: strategy("a, b = bollinger(data.close, 20)\nc = bollinger(data.close, 20) + 1\nx, y = data.close");
    recursion: "def f(x):\n    return g(x)\n\ndef g(x):\n    return f(x)\n\nclass S(Strategy):\n    def analyze(self, data):\n        return target(units=f(1))\n";
    parameters: "class S(Strategy):\n    a: int = param(1, min=2)\n    b: int = 2.5\n    c = \"text\"\n    d = sma(1, 2)\n    e: str = 1\n    f: int\n    g = param(1, mni=0)\n    a = 3\n    def analyze(self, data):\n        return {}\n";
    loops: strategy("for i in data.close:\n    pass\nfor i in range(data.index):\n    pass\nfor a, b in range(3):\n    pass\nfor i in range(1, 5, 0):\n    pass");
    wide_characters_and_tabs: "class S(Strategy):\n\tdef analyze(self, data):\n\t\tprix_élevé = data.hihg\n\t\treturn {}\n";
    a_series_is_not_a_data_frame: strategy("a = data.close.iloc[-1]\nb = data.close.shift(1)\nc = data.close.values\nd = data.close.rolling(10).mean()\ne = data[\"close\"]");
    functions_of_python: strategy("print(data.close)\na = len(data.close)\nb = np.mean(data.close)\nc = math.sqrt(2)\nd = round(data.close, 5)\ne = sum(data.close)\nf = close\ng = true");
    a_text_is_no_decision: strategy("if data.close > 1:\n    return \"buy\"\nif data.close > 2:\n    return \"CLOSE\"\nif data.close > 3:\n    return \"hold\"\nreturn 1");
    an_assignment_is_no_comparison: strategy("if data.close = 1:\n    return close()\nreturn {}");
    several_syntax_errors: "class S(Strategy)\n    n = 10\n    def analyze(self, data)\n        x = (1 +\n        return {}\n";
    tabs_and_spaces: "class S(Strategy):\n    def analyze(self, data):\n\tx = 1\n        return {}\n";
    too_little_indentation: "class S(Strategy):\n    def analyze(self, data):\n    return {}\n";
    too_much_indentation: strategy("x = 1\n    y = x\nreturn {}");
    a_text_without_an_end: strategy("record(\"x, 1)\nreturn {}");
    two_classes: "class A(Strategy):\n    def analyze(self, data):\n        return {}\n\nclass B(Strategy):\n    def analyze(self, data):\n        return {}\n";
    no_self: "class S(Strategy):\n    def analyze(data):\n        return {}\n";
    a_method_without_self: "class S(Strategy):\n    def twice(x):\n        return x * 2\n    def analyze(self, data):\n        return target(units=self.twice(1))\n";
    identity: strategy("if data.close is None:\n    return close()\nif 1 in data:\n    return close()\nreturn {}");
    misspelt_everywhere: "class S(Strategy):\n    fast_period = 10\n    def analyze(self, data):\n        a = data.cloze\n        b = sma(data.close, self.fast_perod)\n        \
        c = bolinger(data.close, 20)\n        d = macd(data.close, fst=12)\n        e = data.bid.hihg\n        f = data.time.huor\n        g = positon.units\n        \
        if a > b:\n            return {\"action\": \"sel\", \"units\": 1}\n        return byu(units=1, stop_los=pips(1))\n";
    imports_hide_nothing_else: "import numpy as np\n\nclass S(Strategy):\n    def analyze(self, data):\n        x = [i for i in data.close]\n        return buy(units=dat.close)\n";
    a_helper_that_returns_nothing: "def f(x):\n    y = x\n\nclass S(Strategy):\n    def analyze(self, data):\n        return target(units=f(1))\n";
    names_that_look_alike: "class S(Strategy):\n    def analyze(self, data):\n        \u{441}lose = 1\n        x = data.cl\u{43e}se\n        \u{430} = 2\n        \u{ff44}ata2 = 3\n        return {}\n";
    hidden_characters: "class S(Strategy):\n    def analyze(self, data):\n        # \u{202e}txen\u{2066}\n        x\u{200b}y = 1\0\n        return {}\n";
}

/// The findings of a source that compiles.
fn warnings(source: &str) -> String {
    let found = crate::compiled(source).warnings;
    assert!(found.iter().all(|found| found.severity == fx_strategy::Severity::Warning));
    found.iter().map(|found| found.listing("s.py")).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn what_is_allowed_and_not_meant_is_a_warning() {
    let body = "slow = sma(data.close, 30)\nfast: float = 1\n_spare = 2\nupper, middle, lower = bollinger(data.close, 20)\n\
        if data.close > upper:\n    return buy(units=1)\n    x = 1\nreturn {}\ny = 2";
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("warnings", warnings(&strategy(body)));
        insta::assert_snapshot!("no_decision", warnings(&strategy("x = data.close\nif x > 1:\n    x = 2")));
    });
}

#[test]
fn a_linter_sees_warnings_beside_errors() {
    let checked =
        fx_strategy::check(&strategy("unused = 1\nreturn nothing"), &std::collections::BTreeMap::new());
    let codes: Vec<_> = checked.findings.iter().map(|found| (found.line(), found.code)).collect();
    assert!(checked.compiled.is_none());
    assert_eq!(codes, [(Some(6), "unused"), (Some(7), "unknown-name")]);
}

#[test]
fn names_in_one_foreign_script_are_names() {
    for name in ["prix_\u{e9}lev\u{e9}", "\u{446}\u{435}\u{43d}\u{430}", "\u{3bb}", "\u{4fa1}\u{683c}"] {
        let source = strategy(&format!("{name} = data.close\nreturn target(units={name})"));
        assert!(crate::compiled(&source).warnings.is_empty(), "{name}");
    }
}
