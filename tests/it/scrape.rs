//! A canary without a metric store: pages of instances are read by the service itself.

mod pages;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use coalmine::analysis::collect::Collector;
use coalmine::analysis::judge_run::Analysis;
use coalmine::analysis::task::{Analyst, Task};
use coalmine::clock::{Clock, SystemClock, VirtualClock};
use coalmine::config::Strictness;
use coalmine::config::canary::load_wire;
use coalmine::config::canary::wire::Query;
use coalmine::model::scope::{Scope, ScopePair, Window};
use coalmine::sources::scrape::{ScrapeAccount, ScrapeSource};
use coalmine::sources::{Fetched, Manner, MetricSource, Question, Remedy, SourceError, Sources};
use coalmine_judges::config::Thresholds;
use coalmine_judges::judgement::Verdict;
use tokio::net::TcpListener;

/// One instance: a page, or none while it is down.
#[derive(Clone)]
struct Instance {
    page: Arc<Mutex<Option<String>>>,
    address: String,
}

impl Instance {
    async fn start() -> Self {
        let page: Arc<Mutex<Option<String>>> = Arc::default();
        async fn answer(
            State(page): State<Arc<Mutex<Option<String>>>>,
        ) -> Result<String, StatusCode> {
            let page = page.lock().unwrap().clone();
            page.ok_or(StatusCode::SERVICE_UNAVAILABLE)
        }
        let app = Router::new()
            .route("/metrics", get(answer))
            .with_state(Arc::clone(&page));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { page, address }
    }

    fn says(&self, page: impl Into<String>) {
        *self.page.lock().unwrap() = Some(page.into());
    }

    fn is_down(&self) {
        *self.page.lock().unwrap() = None;
    }
}

const MINUTE: i64 = 60_000;

/// Minutes of the virtual clock.
fn question(template: &str, scope: &str, from: i64, to: i64) -> Question {
    let query = serde_json::json!({"type": "prometheus", "customInlineTemplate": template});
    Question {
        metric: "m".to_owned(),
        query: serde_json::from_value::<Query>(query).unwrap(),
        templates: Arc::default(),
        scope: Scope {
            scope: scope.to_owned(),
            location: String::new(),
            window: Window::new(from * MINUTE, to * MINUTE).unwrap(),
            step_secs: 60,
            parameters: BTreeMap::new(),
        },
        manner: Manner::Kayenta,
        settled_ms: None,
    }
}

/// A source with the scope `web` of these instances.
fn source(instances: &[&Instance]) -> (ScrapeSource, Arc<VirtualClock>) {
    let addresses = instances.iter().map(|instance| instance.address.clone());
    let account = ScrapeAccount {
        instances: BTreeMap::from([("web".to_owned(), addresses.collect())]),
        instances_from_requests: false,
    };
    let clock = Arc::new(VirtualClock::new(0));
    let source = ScrapeSource::new(account, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    (source, clock)
}

/// Lets every page of `pages` stand for a minute each, from minute 1 on; `None` is an instance that is down.
async fn play(
    source: &ScrapeSource,
    clock: &VirtualClock,
    instances: &[&Instance],
    pages: &[Vec<Option<&str>>],
) {
    for (index, pages) in pages.iter().enumerate() {
        for (instance, page) in instances.iter().zip(pages) {
            match page {
                Some(page) => instance.says(*page),
                None => instance.is_down(),
            }
        }
        let now_ms = (index as i64 + 1) * MINUTE;
        clock.set(now_ms);
        source.sample(now_ms).await;
    }
}

fn values(fetched: &Fetched) -> Vec<Option<f64>> {
    assert_eq!(fetched.sets.len(), 1);
    fetched.sets[0].values.clone()
}

#[tokio::test]
async fn gauges_rates_and_quantiles_are_read_from_pages() {
    let instances = [&Instance::start().await, &Instance::start().await];
    let (source, clock) = source(&instances);
    let asked = [
        "PromQL:avg(temp{room=\"a,b}\"})",
        "PromQL:sum(rate(hits_total{code!=\"500\"}[1m]))",
        "PromQL:histogram_quantile(0.5, sum by (le) (rate(took_bucket[1m])))",
    ]
    .map(|template| question(template, "web", 1, 3));
    for question in &asked {
        source.watch(question).await;
    }
    let page = |temp: f64, hits: u32, fast: u32, all: u32| {
        format!(
            "# TYPE temp gauge\ntemp{{room=\"a,b}}\"}} {temp}\ntemp{{room=\"other\"}} 99\n\
             hits_total{{code=\"200\"}} {hits} 1234567890\nhits_total{{code=\"500\"}} 7777\n\
             took_bucket{{le=\"0.1\"}} {fast}\ntook_bucket{{le=\"0.3\"}} {all}\ntook_bucket{{le=\"+Inf\"}} {all}\n"
        )
    };
    let (first, second) = (page(1.0, 600, 0, 0), page(3.0, 60, 0, 0));
    let (third, fourth) = (page(2.0, 720, 60, 120), page(4.0, 30, 60, 120));
    let pages = [
        vec![Some(first.as_str()), Some(second.as_str())],
        vec![Some(third.as_str()), Some(fourth.as_str())],
        vec![Some(third.as_str()), None],
    ];
    play(&source, &clock, &instances, &pages).await;
    clock.set(10 * MINUTE);
    let fetched = source.fetch(&asked[0]).await.unwrap();
    assert_eq!(values(&fetched), [Some(2.0), Some(3.0), Some(2.0)]);
    assert_eq!((fetched.points, fetched.expected_points), (3, 3));
    assert_eq!(
        (fetched.sets[0].start_ms, fetched.sets[0].step_ms),
        (MINUTE, 60_000)
    );
    // The second counter fell from 60 to 30: it began anew.
    let fetched = source.fetch(&asked[1]).await.unwrap();
    assert_eq!(values(&fetched), [None, Some(2.0 + 0.5), None]);
    let down = format!(
        "`http://{}/metrics` was missed 1 times",
        instances[1].address
    );
    assert!(
        fetched.warnings[0].starts_with(&down),
        "{:?}",
        fetched.warnings
    );
    assert!(
        fetched.warnings[0].ends_with("because of status 503"),
        "{:?}",
        fetched.warnings
    );
    let fetched = source.fetch(&asked[2]).await.unwrap();
    assert_eq!(values(&fetched), [None, Some(0.1), None]);
}

#[tokio::test]
async fn an_instance_that_is_down_gives_missing_points_and_no_zeros() {
    let instance = Instance::start().await;
    let (source, clock) = source(&[&instance]);
    let asked = question("PromQL:avg(temp)", "web", 1, 4);
    source.watch(&asked).await;
    let pages = [
        vec![Some("temp 5")],
        vec![None],
        vec![Some("temp {nonsense")],
        vec![Some("other 1\n")],
    ];
    play(&source, &clock, &[&instance], &pages).await;
    clock.set(10 * MINUTE);
    let fetched = source.fetch(&asked).await.unwrap();
    assert_eq!(values(&fetched), [Some(5.0), None, None, None]);
    assert_eq!((fetched.points, fetched.expected_points), (1, 4));
    assert!(
        fetched.warnings[0].contains("was missed 2 times"),
        "{:?}",
        fetched.warnings
    );
    assert!(
        fetched.warnings[0].contains("line 1: found "),
        "{:?}",
        fetched.warnings
    );
}

#[tokio::test]
async fn what_was_not_sampled_is_no_data_but_a_failure_where_it_is_all() {
    let instance = Instance::start().await;
    let (source, clock) = source(&[&instance]);
    let unwatched = question("PromQL:avg(temp)", "web", 1, 2);
    let error = source.fetch(&unwatched).await.expect_err("nobody watched");
    assert_eq!(
        error.message,
        "nothing was sampled from 1970-01-01T00:01:00Z to 1970-01-01T00:02:00Z"
    );
    assert_eq!(error.remedy, Remedy::GiveUp);

    source
        .watch(&question("PromQL:avg(temp)", "web", 1, 4))
        .await;
    clock.set(MINUTE);
    instance.says("temp 5");
    // The service was not there for the first two minutes.
    clock.set(3 * MINUTE);
    source.sample(3 * MINUTE).await;
    clock.set(4 * MINUTE);
    let asked = question("PromQL:avg(temp)", "web", 1, 4);
    let error = source.fetch(&asked).await.expect_err("too early");
    assert!(
        matches!(error.remedy, Remedy::Retry { after: Some(_) }),
        "{error:?}"
    );
    source.sample(4 * MINUTE).await;
    let fetched = source.fetch(&asked).await.unwrap();
    assert_eq!(values(&fetched), [None, None, Some(5.0), Some(5.0)]);
    assert_eq!(
        fetched.warnings,
        ["sampling began 120 s after the window; what was before is missing"]
    );
    // A metric that was watched later has points from then on.
    let late = question("PromQL:avg(late)", "web", 1, 4);
    assert!(source.fetch(&late).await.is_err());
}

#[tokio::test]
async fn a_question_that_a_scrape_cannot_answer_is_refused() {
    let (source, _) = source(&[]);
    let refuse = |question: &Question, word: &str| {
        let error = source.render(question).expect_err(word);
        assert!(error.message.contains(word), "{error}");
        assert_eq!(error.remedy, Remedy::Mend);
    };
    refuse(&question("PromQL:up", "web", 0, 1), "has 0 instances");
    refuse(
        &question("PromQL:avg(up)", "nobody", 0, 1),
        "no instances of the scope `nobody`",
    );
    let mut listed = question("PromQL:avg(up)", "web", 0, 1);
    listed
        .scope
        .parameters
        .insert("instances".to_owned(), "10.0.0.1:80".to_owned());
    refuse(&listed, "takes none from requests");

    let account = ScrapeAccount {
        instances: BTreeMap::new(),
        instances_from_requests: true,
    };
    let source = ScrapeSource::new(account, Arc::new(SystemClock)).unwrap();
    let text = source.render(&listed).unwrap();
    assert_eq!(text, "avg(up) of http://10.0.0.1/metrics");
    let refuse = |list: &str, template: &str, word: &str| {
        let mut asked = question(template, "web", 0, 1);
        asked
            .scope
            .parameters
            .insert("instances".to_owned(), list.to_owned());
        let error = source.render(&asked).expect_err(word);
        assert!(error.message.contains(word), "{error}");
    };
    refuse(
        "file:///etc/passwd",
        "PromQL:avg(up)",
        "expected `http` or `https`",
    );
    refuse("http://me:secret@host/", "PromQL:avg(up)", "a password");
    refuse("a:1, :", "PromQL:avg(up)", "`host:port`");
    refuse(
        "a:1",
        "PromQL:up",
        "expected `avg`, `sum` or `histogram_quantile`",
    );
    refuse("a:1", "PromQL:avg(rate(x[30s]))", "looks back 30000 ms");
    refuse("a:1", "", "Metric Name is required");
    refuse(
        "a:1",
        "PromQL:avg(up{x=\"${nothing}\"})",
        "variable `nothing` has no value",
    );
    let wrong = ScrapeAccount {
        instances: BTreeMap::from([(
            "x".to_owned(),
            vec!["ftp://a/".to_owned(), "http://".to_owned()],
        )]),
        instances_from_requests: false,
    };
    let error = ScrapeSource::new(wrong, Arc::new(SystemClock)).expect_err("both");
    assert_eq!(
        error.message.matches("found the instance").count(),
        2,
        "{error}"
    );
}

#[tokio::test]
async fn values_of_a_request_stay_within_their_quotes() {
    let instance = Instance::start().await;
    let (source, _) = source(&[&instance]);
    let mut asked = question("PromQL:avg(up{env=\"${env}\"})", "web", 0, 1);
    asked
        .scope
        .parameters
        .insert("env".to_owned(), "x\"} or vector(1) #\\".to_owned());
    let text = source.render(&asked).unwrap();
    assert!(
        text.starts_with(r#"avg(up{env="x\"} or vector(1) #\\"}) of "#),
        "{text}"
    );

    let account = ScrapeAccount {
        instances: BTreeMap::new(),
        instances_from_requests: true,
    };
    let open = ScrapeSource::new(account, Arc::new(SystemClock)).unwrap();
    let mut scoped = question("PromQL:avg(up{pod=\"${scope}\"})", "a\"} or 1", 0, 1);
    scoped
        .scope
        .parameters
        .insert("instances".to_owned(), "h:1".to_owned());
    let text = open.render(&scoped).unwrap();
    assert_eq!(text, r#"avg(up{pod="a\"} or 1"}) of http://h:1/metrics"#);

    let plain = r#"{"type": "prometheus", "metricName": "up", "labelBindings": ["job=\"api\""]}"#;
    asked.query = serde_json::from_str(plain).unwrap();
    assert!(
        source
            .render(&asked)
            .unwrap()
            .starts_with("avg(up{job=\"api\"}) of ")
    );
}

#[tokio::test]
async fn an_account_tells_its_metrics_and_whether_it_answers() {
    let (up, down) = (Instance::start().await, Instance::start().await);
    let (source, _) = source(&[&up, &down]);
    let error = source.check().await.expect_err("nobody answers");
    assert_eq!(error.message, "no instance answers: status 503");
    up.says("a_total 1\nb_total{x=\"y\"} 2\nc 3\n");
    assert!(source.check().await.is_ok());
    assert_eq!(
        source.metric_names("TOTAL").await.unwrap(),
        ["a_total", "b_total"]
    );
}

/// The loop runs by the machine's clock; the wait has a bound.
#[tokio::test]
async fn samples_are_taken_by_themselves_until_the_window_ends() {
    let instance = Instance::start().await;
    instance.says("temp 7");
    let account = ScrapeAccount {
        instances: BTreeMap::from([("web".to_owned(), vec![instance.address.clone()])]),
        instances_from_requests: false,
    };
    let source = ScrapeSource::new(account, Arc::new(SystemClock)).unwrap();
    let mut asked = question("PromQL:avg(temp)", "web", 0, 0);
    let start_ms = SystemClock.now_ms() + 1_000;
    asked.scope.window = Window::new(start_ms, start_ms + 2_000).unwrap();
    asked.scope.step_secs = 1;
    source.watch(&asked).await;
    source.watch(&asked).await;
    let began = Instant::now();
    let fetched = loop {
        match source.fetch(&asked).await {
            Ok(fetched) => break fetched,
            Err(SourceError {
                remedy: Remedy::Retry { after: Some(after) },
                ..
            }) if began.elapsed() < Duration::from_secs(60) => tokio::time::sleep(after).await,
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(fetched.points, fetched.expected_points, "{fetched:?}");
    assert!(fetched.points >= 2, "{fetched:?}");
}

/// A page with this many series of `name`.
fn many(name: &str, count: usize) -> String {
    let lines = (0..count).map(|number| format!("{name}{{n=\"{number}\"}} 1\n"));
    lines.collect()
}

#[tokio::test]
async fn a_list_of_many_series_costs_only_its_own_past() {
    let (large, small) = (Instance::start().await, Instance::start().await);
    let instances = [("large", &large), ("small", &small)];
    let account = ScrapeAccount {
        instances: instances
            .map(|(scope, instance)| (scope.to_owned(), vec![instance.address.clone()]))
            .into(),
        instances_from_requests: false,
    };
    let clock = Arc::new(VirtualClock::new(0));
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    let source = ScrapeSource::new(account, shared).unwrap().most_points(100);
    let asked = ["large", "small"].map(|scope| question("PromQL:avg(x)", scope, 1, 20));
    for question in &asked {
        source.watch(question).await;
    }
    let (large_page, small_page) = (many("x", 20), many("x", 1));
    let pages = vec![vec![Some(large_page.as_str()), Some(small_page.as_str())]; 20];
    play(&source, &clock, &[&large, &small], &pages).await;
    assert!(source.points() <= 100 + 21, "{}", source.points());
    let [of_large, of_small] = [&asked[0], &asked[1]].map(|question| source.fetch(question));
    assert_eq!(of_small.await.unwrap().points, 20);
    let of_large = of_large.await.unwrap();
    assert!((2..=5).contains(&of_large.points), "{of_large:?}");
    assert_eq!(values(&of_large)[19], Some(1.0));
}

#[tokio::test]
async fn a_page_that_would_take_all_the_room_is_refused() {
    let instance = Instance::start().await;
    let (source, clock) = source(&[&instance]);
    let source = source.most_points(100);
    let asked = question("PromQL:avg(x)", "web", 1, 2);
    source.watch(&asked).await;
    let (fits, flood) = (many("x", 25), many("x", 26));
    let pages = [vec![Some(fits.as_str())], vec![Some(flood.as_str())]];
    play(&source, &clock, &[&instance], &pages).await;
    clock.set(10 * MINUTE);
    let fetched = source.fetch(&asked).await.unwrap();
    assert_eq!(values(&fetched), [Some(1.0), None]);
    let told = &fetched.warnings[0];
    assert!(
        told.ends_with("more than 25 points in one sample"),
        "{told}"
    );
}

#[tokio::test]
async fn what_nobody_can_ask_for_any_more_is_forgotten() {
    let instance = Instance::start().await;
    let (source, clock) = source(&[&instance]);
    let page = format!("{}late 1\n", many("early", 10));
    let early = question("PromQL:avg(early)", "web", 1, 3);
    source.watch(&early).await;
    source
        .watch(&question("PromQL:avg(late)", "web", 1, 300))
        .await;
    let pages = vec![vec![Some(page.as_str())]; 5];
    play(&source, &clock, &[&instance], &pages).await;
    // After its window's end nobody samples `early` any more.
    assert_eq!(source.points(), 3 * 10 + 5);
    clock.set(63 * MINUTE);
    source.sample(63 * MINUTE).await;
    assert!(source.fetch(&early).await.is_ok());
    clock.set(64 * MINUTE);
    source.sample(64 * MINUTE).await;
    assert_eq!(source.points(), 7);
    assert!(source.fetch(&early).await.is_err());
}

/// Other series each time, as of pods that come and go; a list that runs long enough saw more than it may know at a time.
#[tokio::test]
async fn series_that_are_gone_make_room_for_others() {
    let instance = Instance::start().await;
    let (source, clock) = source(&[&instance]);
    let source = source.most_points(40_000);
    let asked = question("PromQL:avg(x)", "web", 1, 6);
    source.watch(&asked).await;
    for minute in 1..=6_i64 {
        let lines = (0..10_000).map(|number| format!("x{{n=\"{minute}-{number}\"}} {minute}\n"));
        instance.says(lines.collect::<String>());
        clock.set(minute * MINUTE);
        source.sample(minute * MINUTE).await;
    }
    clock.set(10 * MINUTE);
    let fetched = source.fetch(&asked).await.unwrap();
    assert_eq!(values(&fetched)[5], Some(6.0), "{:?}", fetched.warnings);
}

#[test]
fn a_question_is_worked_out_beside_the_others_and_holds_no_sample_up() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let instance = Instance::start().await;
        let (source, clock) = source(&[&instance]);
        let asked = question("PromQL:avg(temp)", "web", 1, 2);
        source.watch(&asked).await;
        let pages = [vec![Some("temp 5")], vec![Some("temp 6")]];
        play(&source, &clock, &[&instance], &pages).await;
        clock.set(10 * MINUTE);
        // The one thread for heavy work is taken.
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let mut fetch = std::pin::pin!(source.fetch(&asked));
        let is_pending = std::future::poll_fn(|context| {
            std::task::Poll::Ready(fetch.as_mut().poll(context).is_pending())
        });
        assert!(is_pending.await);
        source.sample(3 * MINUTE).await;
        release.send(()).unwrap();
        busy.await.unwrap().unwrap();
        assert_eq!(values(&fetch.await.unwrap()), [Some(5.0), Some(6.0)]);
    });
}

/// The time of the test's own runtime, which stands still while there is something to do.
#[derive(Debug)]
struct PausedClock(tokio::time::Instant);

impl Clock for PausedClock {
    fn now_ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_never_answers_costs_no_sample() {
    // Takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let account = ScrapeAccount {
        instances: BTreeMap::from([(
            "web".to_owned(),
            vec![silent.local_addr().unwrap().to_string()],
        )]),
        instances_from_requests: false,
    };
    let clock = Arc::new(PausedClock(tokio::time::Instant::now()));
    let source = ScrapeSource::new(account, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let mut asked = question("PromQL:avg(temp)", "web", 0, 0);
    asked.scope.window = Window::new(1_000, 10_000).unwrap();
    asked.scope.step_secs = 1;
    source.watch(&asked).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let fetched = source.fetch(&asked).await.unwrap();
    assert_eq!(values(&fetched), [None; 10]);
    assert!(
        fetched.warnings[0].contains("was missed 10 times"),
        "{:?}",
        fetched.warnings
    );
}

/// From a config to a verdict, with nothing but pages.
#[tokio::test]
async fn a_canary_is_judged_without_a_metric_store() {
    let (old, new) = (Instance::start().await, Instance::start().await);
    let account = ScrapeAccount {
        instances: BTreeMap::from([
            ("old".to_owned(), vec![old.address.clone()]),
            ("new".to_owned(), vec![new.address.clone()]),
        ]),
        instances_from_requests: false,
    };
    let clock = Arc::new(VirtualClock::new(0));
    let source =
        Arc::new(ScrapeSource::new(account, Arc::clone(&clock) as Arc<dyn Clock>).unwrap());
    let text = include_str!("../../configs/examples/scrape.canary.yaml");
    let (config, _) = load_wire(text, Strictness::Strict).unwrap();
    let place = |name: &str| question("", name, 1, 60).scope;
    let pair = ScopePair {
        baseline: place("old"),
        canary: place("new"),
    };
    let task = Task {
        application: "web".to_owned(),
        config: Arc::new(config),
        account: None,
        thresholds: Thresholds::default(),
        scopes: BTreeMap::from([("default".to_owned(), pair)]),
    };
    let sources = Sources::new(vec![(
        "scrape".to_owned(),
        Arc::clone(&source) as Arc<dyn MetricSource>,
    )]);
    let analysis = Analysis::new(Arc::new(Collector::new(
        Arc::new(sources),
        Arc::clone(&clock) as _,
    )));
    analysis.watch(&task).await;
    for minute in 0..=60_i64 {
        let page = |errors: i64, slow: i64| {
            let (all, wobble) = (minute * 600, minute * 7 % 5);
            format!(
                "http_requests_total{{code=\"500\"}} {}\n\
                 http_request_duration_seconds_bucket{{le=\"0.1\"}} {}\n\
                 http_request_duration_seconds_bucket{{le=\"1\"}} {all}\n\
                 http_request_duration_seconds_bucket{{le=\"+Inf\"}} {all}\n\
                 process_resident_memory_bytes {}\n",
                minute * errors + wobble,
                all - minute * slow - wobble,
                1_000_000 + wobble,
            )
        };
        old.says(page(10, 30));
        new.says(page(60, 300));
        clock.set(minute * MINUTE);
        source.sample(minute * MINUTE).await;
    }
    clock.set(62 * MINUTE);
    let collected = analysis.collect(&task).await.unwrap();
    let judgement = analysis.judge(&collected.bundle).unwrap();
    assert_eq!(
        judgement.verdict,
        Verdict::Fail,
        "{:?}",
        collected.told.notes
    );
    let words: Vec<String> = judgement
        .results
        .iter()
        .map(|result| format!("{} {:?}", result.spec.name, result.classification))
        .collect();
    assert_eq!(
        words,
        ["errors a second High", "latency p99 High", "memory Pass"]
    );
}
