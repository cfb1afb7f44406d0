//! The shapes of Kayenta's bodies that are read or kept as they come, for the OpenAPI document. Everything may be absent and
//! unknown fields are ignored unless it says otherwise.
#![expect(
    missing_docs,
    reason = "the names are Kayenta's; what needs words has them"
)]

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// A number; in answers `NaN`, `Infinity` and `-Infinity` are strings.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = Double)]
#[serde(untagged)]
pub enum DoubleBody {
    Number(f64),
    Word(String),
}

macro_rules! shapes {
    ($($(#[$meta:meta])* $name:ident as $shown:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, ToSchema)]
            #[schema(as = $shown, rename_all = "camelCase")]
            pub struct $name {
                $($(#[$field_meta])* pub $field: $kind,)*
            }
        )*
    };
}

shapes! {
    /// Which metrics to compare, how, in which groups and with which weights. `docs` has the whole format.
    CanaryConfigBody as CanaryConfig {
        /// Letters, digits, `-` and `_`. Needed to store it.
        name: Option<String>,
        /// Chosen by the server where absent.
        id: Option<String>,
        description: Option<String>,
        config_version: Option<String>,
        /// At least one is needed to store it.
        applications: Option<Vec<String>>,
        judge: Option<JudgeChoiceBody>,
        /// At least one is needed to judge by it.
        metrics: Option<Vec<MetricBody>>,
        /// Query templates by name.
        templates: Option<BTreeMap<String, String>>,
        /// Needed to judge by it.
        classifier: Option<ClassifierBody>,
        created_timestamp: Option<i64>,
        updated_timestamp: Option<i64>,
        created_timestamp_iso: Option<String>,
        updated_timestamp_iso: Option<String>,
    }

    JudgeChoiceBody as CanaryJudgeConfig {
        name: Option<String>,
        #[schema(value_type = Option<Object>)]
        judge_configurations: Option<()>,
    }

    MetricBody as CanaryMetricConfig {
        name: Option<String>,
        /// How to read it; `type` names the kind of store.
        #[schema(value_type = Option<Object>)]
        query: Option<()>,
        groups: Option<Vec<String>>,
        #[schema(value_type = Option<Object>)]
        analysis_configurations: Option<()>,
        /// The scope of the request that it is looked for in; `default` by custom.
        scope_name: Option<String>,
    }

    ClassifierBody as CanaryClassifierConfig {
        /// In percent.
        group_weights: Option<BTreeMap<String, f64>>,
        score_thresholds: Option<ThresholdsBody>,
    }

    /// The scores from which on a canary passes, or is at least marginal.
    ThresholdsBody as CanaryClassifierThresholdsConfig {
        pass: Option<f64>,
        marginal: Option<f64>,
    }

    /// Both sides of a scope name.
    ScopePairBody as CanaryScopePair {
        control_scope: ScopeBody,
        experiment_scope: ScopeBody,
    }

    /// Where and when one side is looked for.
    ScopeBody as CanaryScope {
        scope: Option<String>,
        location: Option<String>,
        /// RFC 3339.
        start: String,
        /// RFC 3339.
        end: String,
        /// Seconds; 60 where absent.
        #[schema(minimum = 1)]
        step: Option<i64>,
        extended_scope_params: Option<BTreeMap<String, String>>,
    }

    CanaryExecutionRequestBody as CanaryExecutionRequest {
        /// By the scope name that metrics use.
        scopes: BTreeMap<String, ScopePairBody>,
        thresholds: ThresholdsBody,
        /// Kept and shown.
        #[schema(value_type = Option<Vec<Object>>)]
        metadata: Option<()>,
        /// Kept and shown.
        #[schema(value_type = Option<Object>)]
        site_local: Option<()>,
    }

    AdHocCanaryBody as CanaryAdhocExecutionRequest {
        canary_config: CanaryConfigBody,
        execution_request: CanaryExecutionRequestBody,
    }

    CanaryAnalysisExecutionRequestBody as CanaryAnalysisExecutionRequest {
        #[schema(min_items = 1)]
        scopes: Vec<AnalysisScopeBody>,
        thresholds: Option<ThresholdsBody>,
        /// Needed unless the first scope has an end.
        lifetime_duration_mins: Option<i64>,
        /// Warm-up.
        begin_after_mins: Option<i64>,
        /// 0: windows grow; more: windows slide.
        lookback_mins: Option<i64>,
        /// One judgement at the end where absent.
        analysis_interval_mins: Option<i64>,
        /// Kept and shown.
        #[schema(value_type = Option<Object>)]
        site_local: Option<()>,
    }

    /// One scope; start, end and step of the first one count for all.
    AnalysisScopeBody as CanaryAnalysisExecutionRequestScope {
        scope_name: Option<String>,
        control_scope: Option<String>,
        control_location: Option<String>,
        control_offset_in_minutes: Option<i64>,
        experiment_scope: Option<String>,
        experiment_location: Option<String>,
        start_time_iso: Option<String>,
        end_time_iso: Option<String>,
        step: Option<i64>,
        extended_scope_params: Option<BTreeMap<String, String>>,
    }

    AdHocAnalysisBody as CanaryAnalysisAdhocExecutionRequest {
        canary_config: CanaryConfigBody,
        execution_request: CanaryAnalysisExecutionRequestBody,
    }

    RemoteJudgeRequestBody as RemoteJudgeRequest {
        canary_config: CanaryConfigBody,
        score_thresholds: Option<ThresholdsBody>,
        metric_set_pair_list: Vec<MetricSetPairBody>,
    }

    /// One series of one side.
    MetricSetBody as MetricSet {
        name: Option<String>,
        tags: Option<BTreeMap<String, String>>,
        start_time_millis: Option<i64>,
        start_time_iso: Option<String>,
        end_time_millis: Option<i64>,
        end_time_iso: Option<String>,
        step_millis: Option<i64>,
        values: Option<Vec<DoubleBody>>,
        attributes: Option<BTreeMap<String, String>>,
    }

    /// The series of both sides of one metric.
    MetricSetPairBody as MetricSetPair {
        name: String,
        id: Option<String>,
        tags: Option<BTreeMap<String, String>>,
        values: PairValuesBody,
        scopes: Option<PairScopesBody>,
        #[schema(value_type = Option<Object>)]
        attributes: Option<()>,
    }

    PairValuesBody as MetricSetPairValues {
        control: Vec<DoubleBody>,
        experiment: Vec<DoubleBody>,
    }

    PairScopesBody as MetricSetPairScopes {
        control: Option<PairScopeBody>,
        experiment: Option<PairScopeBody>,
    }

    PairScopeBody as MetricSetScope {
        start_time_iso: Option<String>,
        start_time_millis: Option<i64>,
        step_millis: Option<i64>,
    }

    /// What a judge says.
    CanaryJudgeResultBody as CanaryJudgeResult {
        judge_name: String,
        /// One for each metric set pair, in their order, muted ones included.
        results: Vec<AnalysisResultBody>,
        group_scores: Vec<ScoreBody>,
        score: ScoreBody,
    }

    AnalysisResultBody as CanaryAnalysisResult {
        name: String,
        tags: BTreeMap<String, String>,
        id: String,
        /// `Pass`, `High`, `Low`, `Nodata`, `NodataFailMetric` or `Error`.
        classification: String,
        /// Absent where there is none.
        classification_reason: Option<String>,
        groups: Vec<String>,
        experiment_metadata: SideBody,
        control_metadata: SideBody,
        /// Absent for `Error`.
        result_metadata: Option<RatioBody>,
        critical: bool,
        muted: bool,
    }

    SideBody as SideMetadata {
        stats: StatsBody,
    }

    StatsBody as MetricStats {
        min: DoubleBody,
        max: DoubleBody,
        mean: DoubleBody,
        std: DoubleBody,
        count: u64,
    }

    RatioBody as ResultMetadata {
        /// Mean of the experiment over mean of the control.
        ratio: DoubleBody,
    }

    ScoreBody as CanaryScore {
        /// Absent of the total.
        name: Option<String>,
        score: DoubleBody,
        classification: String,
        classification_reason: String,
    }
}
